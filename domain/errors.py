"""Every error that the service raises on purpose.

Each class has a stable `code` (for programs) and a `kind` (what may be done about it); the
instance's message names the thing and the remedy (for people) and never a secret. Each edge maps
the kind once: the web edge to an HTTP status, the workflow edge to a retry.

    SlotkeeperError
    ├── InvalidInput                permanent     the caller's request is at fault
    │   ├── InvalidRange
    │   ├── InvalidCursor
    │   ├── InvalidTimezone
    │   ├── ConnectStateInvalid
    │   ├── MalformedWebhook
    │   ├── PayloadTooLarge
    │   └── IdempotencyKeyMissing
    ├── Unauthenticated             permanent
    │   ├── ApiKeyInvalid
    │   ├── CronSecretInvalid
    │   └── SignatureRejected
    ├── NotFound                    permanent
    │   ├── IntegrationNotFound
    │   ├── EventTypeNotFound
    │   ├── BookingNotFound
    │   └── SubscriptionNotFound
    ├── Conflict                    permanent
    │   ├── IdempotencyKeyReused
    │   ├── CommandInProgress
    │   ├── AccountMismatch
    │   ├── DisconnectInProgress
    │   └── BookingNotOpen
    ├── ConsentDenied               needs person
    ├── ScopesDeclined              needs person
    ├── ReauthRequired              needs person
    ├── SealedValueUnreadable       needs person
    ├── RefreshInProgress           transient     another process holds the lease
    ├── AvailabilityPending         transient     nothing cached yet and the fetch is not done
    ├── CircuitOpen                 transient     refused here, nothing was sent
    ├── StorageUnavailable          transient     PostgreSQL
    ├── JobsUnavailable             transient     Temporal
    └── CalendlyError
        ├── CalendlyUnavailable     transient     nothing was processed
        ├── CalendlyUncertain       transient     the request may have been processed
        ├── CalendlyThrottled       throttled
        ├── CalendlyProtocolError   transient     an answer that cannot be read
        ├── AccessTokenRejected     transient     401: refresh once, repeat once
        ├── GrantRefused            needs person  invalid_grant
        ├── ClientRefused           needs person  our client id or secret is wrong
        ├── ScopeMissing            needs person  403 with required_scopes
        ├── CalendlyForbidden       permanent     any other 403
        ├── CalendlyRejected        permanent     400, 422: the request is at fault
        ├── CalendlyNotFound        permanent
        ├── CalendlyConflict        permanent     409
        ├── CalendarBroken          needs person  424: the host's calendar connection
        └── SlotTaken               permanent
"""

from enum import StrEnum
from typing import ClassVar


class Kind(StrEnum):
    """What may be done about an error."""

    TRANSIENT = "transient"
    THROTTLED = "throttled"
    PERMANENT = "permanent"
    NEEDS_PERSON = "needs_person"


class SlotkeeperError(Exception):
    """The root: a message for people, a code and a kind for programs.

    Args:
        message: names the thing and the remedy; holds no secret and no personal data.
        retry_after: seconds to wait before trying again, where that is known.

    """

    code: ClassVar[str] = "internal"
    kind: ClassVar[Kind] = Kind.PERMANENT

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.retry_after = retry_after


class InvalidInput(SlotkeeperError):
    """A request that cannot be carried out as it was written."""

    code = "invalid_input"


class InvalidRange(InvalidInput):
    """A time range that is empty, reversed, in the past or too long."""

    code = "invalid_range"


class InvalidCursor(InvalidInput):
    """A page cursor that this service did not hand out."""

    code = "invalid_cursor"


class InvalidTimezone(InvalidInput):
    """A timezone that is not in the IANA database."""

    code = "invalid_timezone"


class ConnectStateInvalid(InvalidInput):
    """A connect callback whose state is unknown, used, expired or another user's."""

    code = "connect_state_invalid"


class MalformedWebhook(InvalidInput):
    """A well-signed webhook whose body is not a Calendly event."""

    code = "webhook_malformed"


class PayloadTooLarge(InvalidInput):
    """A request body over the size limit."""

    code = "payload_too_large"


class IdempotencyKeyMissing(InvalidInput):
    """An acting request without its Idempotency-Key."""

    code = "idempotency_key_missing"


class Unauthenticated(SlotkeeperError):
    """The caller did not prove who it is."""

    code = "unauthenticated"


class ApiKeyInvalid(Unauthenticated):
    """A missing, unknown or revoked API key."""

    code = "api_key_invalid"


class CronSecretInvalid(Unauthenticated):
    """A missing or wrong cron secret."""

    code = "cron_secret_invalid"


class SignatureRejected(Unauthenticated):
    """A webhook whose signature does not hold; `reason` says why, for counting."""

    code = "signature_rejected"

    def __init__(self, message: str, *, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


class NotFound(SlotkeeperError):
    """The thing is not there, or not this caller's."""

    code = "not_found"


class IntegrationNotFound(NotFound):
    """The user has no Calendly account connected."""

    code = "integration_not_found"


class EventTypeNotFound(NotFound):
    """The event type is not one of this user's."""

    code = "event_type_not_found"


class BookingNotFound(NotFound):
    """The booking is not one of this user's."""

    code = "booking_not_found"


class SubscriptionNotFound(NotFound):
    """No integration has this webhook subscription key."""

    code = "subscription_not_found"


class Conflict(SlotkeeperError):
    """The request contradicts what is already there."""

    code = "conflict"


class IdempotencyKeyReused(Conflict):
    """The same Idempotency-Key came with another request."""

    code = "idempotency_key_reused"


class CommandInProgress(Conflict):
    """The same command is being carried out right now."""

    code = "command_in_progress"


class AccountMismatch(Conflict):
    """Another Calendly account than the connected one gave its consent."""

    code = "account_mismatch"


class DisconnectInProgress(Conflict):
    """The integration is being disconnected; it can be connected again afterwards."""

    code = "disconnect_in_progress"
    kind = Kind.TRANSIENT


class BookingNotOpen(Conflict):
    """The booking is canceled or rescheduled, so it cannot be acted on."""

    code = "booking_not_open"


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
    """The grant is gone: the user has to connect again; `cause` says why."""

    code = "reauth_required"
    kind = Kind.NEEDS_PERSON

    def __init__(self, message: str, *, cause: str) -> None:
        super().__init__(message)
        self.cause = cause


class SealedValueUnreadable(SlotkeeperError):
    """A sealed value does not open: unknown key id, or it was tampered with."""

    code = "sealed_value_unreadable"
    kind = Kind.NEEDS_PERSON


class RefreshInProgress(SlotkeeperError):
    """Another process is refreshing this integration and did not finish in time."""

    code = "refresh_in_progress"
    kind = Kind.TRANSIENT


class AvailabilityPending(SlotkeeperError):
    """Nothing is cached yet, and the fetch that somebody else runs is not done."""

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


class JobsUnavailable(SlotkeeperError):
    """Temporal cannot be reached."""

    code = "jobs_unavailable"
    kind = Kind.TRANSIENT


class CalendlyError(SlotkeeperError):
    """Anything that Calendly answered, or did not."""

    code = "calendly_error"


class CalendlyUnavailable(CalendlyError):
    """Calendly could not be reached or answered 5xx; nothing was processed."""

    code = "calendly_unavailable"
    kind = Kind.TRANSIENT


class CalendlyUncertain(CalendlyError):
    """The request left and no answer came: it may have been processed."""

    code = "calendly_uncertain"
    kind = Kind.TRANSIENT


class CalendlyThrottled(CalendlyError):
    """429, or our own budget for this user is spent; `retry_after` in seconds."""

    code = "calendly_throttled"
    kind = Kind.THROTTLED


class CalendlyProtocolError(CalendlyError):
    """An answer whose body is not what Calendly documents."""

    code = "calendly_protocol_error"
    kind = Kind.TRANSIENT


class AccessTokenRejected(CalendlyError):
    """401: the access token is invalid, expired or revoked."""

    code = "access_token_rejected"
    kind = Kind.TRANSIENT


class GrantRefused(CalendlyError):
    """invalid_grant: the code or refresh token is spent, revoked or unknown."""

    code = "grant_refused"
    kind = Kind.NEEDS_PERSON


class ClientRefused(CalendlyError):
    """invalid_client: CALENDLY_CLIENT_ID or CALENDLY_CLIENT_SECRET is wrong."""

    code = "client_refused"
    kind = Kind.NEEDS_PERSON


class ScopeMissing(CalendlyError):
    """403 for want of a scope; `required` lists what Calendly asked for."""

    code = "scope_missing"
    kind = Kind.NEEDS_PERSON

    def __init__(self, message: str, *, required: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.required = required


class CalendlyForbidden(CalendlyError):
    """403 for role, plan or state; refreshing a token never heals it."""

    code = "calendly_forbidden"


class CalendlyRejected(CalendlyError):
    """400 or 422: Calendly refused the request's parameters."""

    code = "calendly_rejected"


class CalendlyNotFound(CalendlyError):
    """404: the resource does not exist at Calendly."""

    code = "calendly_not_found"


class CalendlyConflict(CalendlyError):
    """409: the resource exists already."""

    code = "calendly_conflict"


class CalendarBroken(CalendlyError):
    """424: the host's calendar connection is broken; the host has to mend it at Calendly."""

    code = "calendar_broken"
    kind = Kind.NEEDS_PERSON


class SlotTaken(CalendlyError):
    """The time slot was booked by somebody else in the meantime."""

    code = "slot_taken"
