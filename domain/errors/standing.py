"""Obstacles to a good request: a person, another process, an outage."""

from datetime import datetime

from domain.errors.root import Kind, SlotkeeperError


class ConsentDenied(SlotkeeperError):
    """The person refused on Calendly's consent page."""

    code = "consent_denied"
    kind = Kind.NEEDS_PERSON


class ScopesDeclined(SlotkeeperError):
    """The person granted less than the service needs; `missing` lists the scopes."""

    code = "scopes_declined"
    kind = Kind.NEEDS_PERSON

    def __init__(self, message: str, *, missing: tuple[str, ...]) -> None:
        super().__init__(message)
        self.missing = missing


class ReauthRequired(SlotkeeperError):
    """The grant is gone: the user has to connect again; `cause` says why, `since` when (UTC)."""

    code = "reauth_required"
    kind = Kind.NEEDS_PERSON

    def __init__(self, message: str, *, cause: str, since: datetime | None = None) -> None:
        super().__init__(message)
        self.cause = cause
        self.since = since


class SealedValueUnreadable(SlotkeeperError):
    """A sealed value does not open; it stays stored until an operator fixes the keys."""

    code = "sealed_value_unreadable"
    kind = Kind.NEEDS_PERSON


class EncryptionKeyUnknown(SealedValueUnreadable):
    """The key that sealed a value is not in the ring; put back, it opens again."""

    code = "encryption_key_unknown"


class SealedValueCorrupt(SealedValueUnreadable):
    """A sealed value was changed, cut or copied from another row; no key of the ring opens it."""

    code = "sealed_value_corrupt"


class RefreshInProgress(SlotkeeperError):
    """Another process is refreshing this integration and did not finish in time."""

    code = "refresh_in_progress"
    kind = Kind.TRANSIENT


class AvailabilityPending(SlotkeeperError):
    """Nothing is cached yet, and the fetch of another request is not done."""

    code = "availability_pending"
    kind = Kind.TRANSIENT


class CircuitOpen(SlotkeeperError):
    """A circuit breaker is open: nothing was sent."""

    code = "circuit_open"
    kind = Kind.TRANSIENT


class StorageUnavailable(SlotkeeperError):
    """PostgreSQL cannot be reached or refused for a passing reason."""

    code = "storage_unavailable"
    kind = Kind.TRANSIENT


class StorageContended(StorageUnavailable):
    """PostgreSQL is well, but another transaction blocked this one.

    Nothing of it is stored. Most callers handle both errors alike and retry. A caller that writes
    for several requests distinguishes them, because this cause concerns few of them.
    """

    code = "storage_contended"


class JobsUnavailable(SlotkeeperError):
    """Temporal cannot be reached."""

    code = "jobs_unavailable"
    kind = Kind.TRANSIENT
