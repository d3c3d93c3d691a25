"""Answers of Calendly that are failures, or missing answers."""

from domain.errors.root import Kind, SlotkeeperError


class CalendlyError(SlotkeeperError):
    """Anything that Calendly answered, or did not.

    Args:
        message: see SlotkeeperError.
        retry_after: see SlotkeeperError.
        diagnosis: see SlotkeeperError.
        unreadable: Calendly answered 2xx, and only the body cannot be read. So Calendly is well.

    """

    code = "calendly_error"

    def __init__(
        self,
        message: str,
        *,
        retry_after: float | None = None,
        diagnosis: str | None = None,
        unreadable: bool = False,
    ) -> None:
        super().__init__(message, retry_after=retry_after, diagnosis=diagnosis)
        self.unreadable = unreadable


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


class CalendlyAnswerTooLarge(CalendlyProtocolError):
    """An answer that is larger than this service reads."""

    code = "calendly_answer_too_large"


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
    """403 because a scope is missing; `required` lists the scopes that Calendly names."""

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
    """424: the host's calendar connection is broken; the host has to fix it at Calendly."""

    code = "calendar_broken"
    kind = Kind.NEEDS_PERSON


class SlotTaken(CalendlyError):
    """The time slot was booked by another invitee in the meantime."""

    code = "slot_taken"
