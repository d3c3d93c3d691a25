"""Faults of a request or of its caller."""

from datetime import timedelta

from domain.errors.root import Kind, SlotkeeperError


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


class ConnectHandleInvalid(InvalidInput):
    """A handle of a connect flow that is unknown, used, expired or another user's."""

    code = "connect_handle_invalid"


class ConnectUnconfirmable(InvalidInput):
    """A connect flow that has to be confirmed, and has no address for its handle."""

    code = "connect_unconfirmable"


class MalformedWebhook(InvalidInput):
    """A well-signed webhook whose body is not a Calendly event."""

    code = "webhook_malformed"


class PayloadTooLarge(InvalidInput):
    """A request body over the size limit."""

    code = "payload_too_large"


class IdempotencyKeyMissing(InvalidInput):
    """An acting request without its Idempotency-Key."""

    code = "idempotency_key_missing"


class RateLimited(SlotkeeperError):
    """More requests than one caller may send.

    Args:
        message: see SlotkeeperError.
        retry_after: seconds until one more is accepted.
        policy: the name of the limit.
        quota: requests that a window allows.
        window: the length of the window.

    """

    code = "rate_limited"
    kind = Kind.THROTTLED

    def __init__(
        self,
        message: str,
        *,
        retry_after: float | None = None,
        policy: str = "key",
        quota: int = 0,
        window: timedelta = timedelta(seconds=1),
    ) -> None:
        super().__init__(message, retry_after=retry_after)
        self.policy, self.quota, self.window = policy, quota, window


class Unauthenticated(SlotkeeperError):
    """The caller did not prove who it is."""

    code = "unauthenticated"


class ApiKeyInvalid(Unauthenticated):
    """A missing, unknown, expired or revoked API key."""

    code = "api_key_invalid"


class CallerForbidden(SlotkeeperError):
    """A caller that is known, and may not make this request."""

    code = "caller_forbidden"


class KeyScopeMissing(CallerForbidden):
    """An API key without the scope that the operation needs."""

    code = "key_scope_missing"


class KeyNetworkRefused(CallerForbidden):
    """An API key that is used outside its networks."""

    code = "key_network_refused"


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


class WebhookEventNotFound(NotFound):
    """No stored webhook has this id; it may have been pruned."""

    code = "webhook_event_not_found"


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
    """The same command is being carried out right now, or may be still at Calendly."""

    code = "command_in_progress"
    kind = Kind.TRANSIENT


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
