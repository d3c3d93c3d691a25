"""What may keep a token request from leaving although its start was asked for in time."""

from datetime import datetime, timedelta

from domain.errors import CalendlyThrottled
from domain.token import REQUEST_DEADLINE


def outlasts_request(until: datetime, now: datetime) -> bool:
    """Whether a lease that ends at `until` covers a request that leaves now (UTC)."""
    return now + REQUEST_DEADLINE <= until


def requests_used_up(wait: timedelta) -> CalendlyThrottled:
    """Return the error for a user whose token requests are used up for so long."""
    return CalendlyThrottled(
        "This user's token requests of the last minute reached Calendly's limit.",
        retry_after=wait.total_seconds(),
    )
