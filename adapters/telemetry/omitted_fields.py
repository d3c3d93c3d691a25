"""Optional fields of Calendly's answers that this version cannot read and leaves out."""

from typing import Final

import structlog
from prometheus_client import Counter

log = structlog.get_logger(__name__)

OMITTED: Final = Counter(
    "slotkeeper_calendly_fields_omitted",
    "Optional fields of Calendly's webhooks and answers that could not be read and were left out.",
    registry=None,
)


def report_omitted(path: str) -> None:
    """Count a field and log its path, such as `$.payload.tracking`; never its value."""
    OMITTED.inc()
    log.warning("calendly_field_omitted", field=path)
