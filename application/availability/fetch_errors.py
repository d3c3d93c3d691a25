"""What a reader is told of a part of the cache that no fetch ever brought.

A refusal that lasts is said as what it is; only what may pass is called pending, so that nobody
asks again and again for what will not come.
"""

import math
from datetime import datetime

from application.ports.storage.availability_cache import CacheEntry, CacheKind
from domain.errors import (
    AvailabilityPending,
    CalendarBroken,
    CalendlyForbidden,
    CalendlyNotFound,
    CalendlyRejected,
    ClientRefused,
    EncryptionKeyUnknown,
    EventTypeNotFound,
    ScopeMissing,
    SealedValueCorrupt,
    SealedValueUnreadable,
    SlotkeeperError,
)

ASK_AGAIN = 60.0  # seconds
_WHAT = {
    CacheKind.EVENT_TYPES: "This user's event types",
    CacheKind.SLOTS: "This event type's slots",
    CacheKind.BUSY: "This user's busy times",
    CacheKind.SCHEDULES: "This user's schedules",
}
_LASTING: dict[type[SlotkeeperError], str] = {
    CalendarBroken: "the host's calendar connection is broken and has to be mended at Calendly",
    CalendlyForbidden: "Calendly forbids it",
    CalendlyNotFound: "Calendly does not know them",
    CalendlyRejected: "Calendly refused the request",
    ClientRefused: "Calendly refused this service's credentials",
    ScopeMissing: "a permission is missing at Calendly",
    EncryptionKeyUnknown: "the key that sealed the stored tokens is missing",
    SealedValueCorrupt: "the stored tokens are corrupt",
    SealedValueUnreadable: "the stored tokens cannot be opened",
}


def fetch_error(part: CacheEntry, now: datetime) -> SlotkeeperError:
    """Return the error that answers for a part without content, at this time (UTC)."""
    if part.part is CacheKind.SLOTS and part.error_code == CalendlyNotFound.code:
        return EventTypeNotFound("Calendly no longer offers this event type.")
    what = _WHAT[part.part]
    for error, reason in _LASTING.items():
        if error.code == part.error_code:
            return error(f"{what} cannot be fetched: {reason}.")
    return AvailabilityPending(
        f"{what} could not be fetched yet ({part.error_code}); ask again in a while.",
        retry_after=_ask_again(part, now),
    )


def _ask_again(part: CacheEntry, now: datetime) -> float:
    if part.retry_at is None:
        return ASK_AGAIN
    return max(math.ceil((part.retry_at - now).total_seconds()), 1)
