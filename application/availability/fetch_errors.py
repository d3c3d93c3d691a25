"""The error that a caller gets for a cache entry that could never be fetched.

A permanent failure is reported with its own code. Only a temporary one is reported as pending, so
that callers do not retry without a chance of success.
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

RETRY_SECONDS = 60.0
_NAMES = {
    CacheKind.EVENT_TYPES: "This user's event types",
    CacheKind.SLOTS: "This event type's slots",
    CacheKind.BUSY: "This user's busy times",
    CacheKind.SCHEDULES: "This user's schedules",
}
_PERMANENT: dict[type[SlotkeeperError], str] = {
    CalendarBroken: "the host's calendar connection is broken and must be repaired at Calendly",
    CalendlyForbidden: "Calendly forbids it",
    CalendlyNotFound: "Calendly does not know them",
    CalendlyRejected: "Calendly refused the request",
    ClientRefused: "Calendly refused this service's credentials",
    ScopeMissing: "a permission is missing at Calendly",
    EncryptionKeyUnknown: "the key that sealed the stored tokens is missing",
    SealedValueCorrupt: "the stored tokens are corrupt",
    SealedValueUnreadable: "the stored tokens cannot be opened",
}


def fetch_error(entry: CacheEntry, now: datetime) -> SlotkeeperError:
    """Return the error for an entry without content, at this time (UTC)."""
    if entry.kind is CacheKind.SLOTS and entry.error_code == CalendlyNotFound.code:
        return EventTypeNotFound("Calendly no longer offers this event type.")
    name = _NAMES[entry.kind]
    for error, reason in _PERMANENT.items():
        if error.code == entry.error_code:
            return error(f"{name} cannot be fetched: {reason}.")
    retry_after = _retry_after(entry, now)
    return AvailabilityPending(
        f"{name} could not be fetched yet ({entry.error_code}); "
        f"retry after {retry_after:.0f} seconds.",
        retry_after=retry_after,
    )


def _retry_after(entry: CacheEntry, now: datetime) -> float:
    if entry.retry_at is None:
        return RETRY_SECONDS
    return max(math.ceil((entry.retry_at - now).total_seconds()), 1)
