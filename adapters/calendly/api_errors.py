"""The API's error answers, `{title, message, details}`, mapped to the domain once.

Branch on the status: Calendly's own specification no longer carries the texts reliably. Only two
texts matter, that of an event already canceled and the code of a slot already filled.
"""

import re
from collections.abc import Callable

import httpx
import msgspec

from adapters.calendly.errors import Call, throttled
from adapters.calendly.rate_headers import retry_after
from adapters.calendly.wire.decoding import Unreadable, decode
from adapters.calendly.wire.errors import ApiError
from domain.errors import (
    AccessTokenRejected,
    CalendarBroken,
    CalendlyConflict,
    CalendlyError,
    CalendlyForbidden,
    CalendlyNotFound,
    CalendlyProtocolError,
    CalendlyRejected,
    CalendlyUnavailable,
    CalendlyUncertain,
    ScopeMissing,
    SlotTaken,
)

_TITLES = frozenset({
    "Invalid Argument",
    "Unauthenticated",
    "Permission Denied",
    "Insufficient scope",
    "Resource Not Found",
    "Already Exists",
    "External Calendar Error",
    "Internal Server Error",
})  # fmt: skip
_SCOPE = re.compile(r"[a-z_]{1,64}:(read|write)")
# `invitee.email`, `questions_and_answers[0].position`: a name, never a value that was sent.
_PARAMETER = re.compile(r"[A-Za-z0-9_.\[\]]{1,64}")
_MOST_PARAMETERS = 5

_BY_STATUS: dict[int, type[CalendlyError]] = {
    401: AccessTokenRejected,
    403: CalendlyForbidden,
    404: CalendlyNotFound,
    409: CalendlyConflict,
    424: CalendarBroken,
}

Settled = Callable[[int, ApiError], bool]
"""Whether a refusal means that what was asked for is so already."""


def read_error(response: httpx.Response) -> ApiError:
    """Return the body of a refusal; an unreadable one counts as empty."""
    try:
        return decode(response.content, ApiError)
    except Unreadable:
        return ApiError()


def api_error(call: Call, response: httpx.Response, body: ApiError) -> CalendlyError:
    status = response.status_code
    said = _said(call, status, body)
    if status < 400:  # noqa: PLR2004 - HTTP's own classes of status codes
        return CalendlyProtocolError(said)
    if status == httpx.codes.TOO_MANY_REQUESTS:
        return throttled(call, retry_after(response.headers))
    if status >= 500 or status == httpx.codes.REQUEST_TIMEOUT:  # noqa: PLR2004 - as above
        return CalendlyUncertain(said) if call.effects else CalendlyUnavailable(said)
    if any(detail.code == "already_filled" for detail in body.details):
        return SlotTaken("The time slot is no longer open; pick another one.")
    if status == httpx.codes.FORBIDDEN and body.required_scopes is not None:
        return _scope_missing(said, body.required_scopes)
    return _BY_STATUS.get(status, CalendlyRejected)(said)


def is_gone(status: int, _body: ApiError) -> bool:
    return status == httpx.codes.NOT_FOUND


def is_canceled_already(status: int, body: ApiError) -> bool:
    """Whether the event to cancel is canceled (Calendly: a 403 with this text)."""
    said = body.message.strip().rstrip(".").lower()
    return status == httpx.codes.FORBIDDEN and said == "event is already canceled"


def _said(call: Call, status: int, body: ApiError) -> str:
    title = f" ({body.title})" if body.title in _TITLES else ""
    return f"{call}: Calendly answered {status}{title}{_parameters(body)}."


def _parameters(body: ApiError) -> str:
    named = (each.parameter for each in body.details if isinstance(each.parameter, str))
    names = list(dict.fromkeys(each for each in named if _PARAMETER.fullmatch(each)))
    return f": {', '.join(names[:_MOST_PARAMETERS])}" if names else ""


def _scope_missing(said: str, required: object) -> ScopeMissing:
    try:
        listed = msgspec.convert(required, tuple[str, ...])
    except msgspec.ValidationError:
        listed = ()
    scopes = tuple(each for each in listed if _SCOPE.fullmatch(each))
    return ScopeMissing(f"{said} It asks for {', '.join(scopes) or 'a scope'}.", required=scopes)
