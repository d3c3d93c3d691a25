"""Rules that all failed calls share: transport failures, throttling, the text of a message.

The rule not to break: a message quotes only the endpoint, the status, a documented title of
Calendly's and the names of refused parameters. So no token and no e-mail address can be in it.
"""

from typing import NamedTuple

import httpx

from adapters.calendly.bounded_body import MOST_BYTES, AnswerTooLarge
from domain.errors import (
    CalendlyAnswerTooLarge,
    CalendlyError,
    CalendlyProtocolError,
    CalendlyThrottled,
    CalendlyUnavailable,
    CalendlyUncertain,
)

_NEVER_LEFT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.UnsupportedProtocol,
)


class Call(NamedTuple):
    """A request as messages may speak of it.

    Args:
        method: the HTTP method.
        endpoint: the path with ids left out.
        effects: whether processing it changes something at Calendly.

    """

    method: str
    endpoint: str
    effects: bool

    def __str__(self) -> str:
        return f"{self.method} {self.endpoint}"


def transport_failure(call: Call, failure: httpx.HTTPError) -> CalendlyError:
    """Return what a failure without an answer means.

    A read has no effects, so whether it arrived does not matter. A write that may have arrived
    is uncertain: repeating it could book twice or burn a refresh token.
    """
    if isinstance(failure, AnswerTooLarge):
        return _too_large(call)
    if not call.effects or isinstance(failure, _NEVER_LEFT):
        return CalendlyUnavailable(f"{call}: Calendly could not be reached{_reason(failure)}.")
    return CalendlyUncertain(
        f"{call}: no answer came{_reason(failure)}; the request may have been processed."
    )


def _too_large(call: Call) -> CalendlyError:
    message = f"{call}: Calendly's answer is larger than {MOST_BYTES // 2**20} MiB; not read."
    meaning = CalendlyUncertain if call.effects else CalendlyAnswerTooLarge
    return meaning(message, unreadable=True)


def _reason(failure: httpx.HTTPError) -> str:
    # httpx-aiohttp says ConnectTimeout of a refused connection too: better nothing than that.
    if isinstance(failure, httpx.ConnectTimeout):
        return ""
    return f" ({type(failure).__name__})"


def throttled(call: Call, retry_after: float) -> CalendlyThrottled:
    """Return the error for a 429; `retry_after` in seconds."""
    return CalendlyThrottled(
        f"{call}: Calendly answered 429, too many requests.", retry_after=retry_after
    )


def unreadable(call: Call, status: int, field: str) -> CalendlyError:
    """Return the error for a 2xx answer whose body is not what Calendly documents.

    The request was processed; where that had effects, the caller must not simply repeat it.
    """
    message = f"{call}: Calendly answered {status} with a body that cannot be read at {field}."
    meaning = CalendlyUncertain if call.effects else CalendlyProtocolError
    return meaning(message, unreadable=True)
