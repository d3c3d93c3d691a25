"""Refuse, before routing, each request that two readers may read differently.

A proxy decides by the path as it is written, and the router by the path that it decodes. If both
accept several spellings of one address, a proxy's rule can be avoided. So each address has exactly
one spelling here. The same holds for a header that decides who is who: it comes once.
"""

import re
from typing import Any, Final, cast

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send

from adapters.web.errors.problems import problem_messages
from adapters.web.http.refusals import REFUSED
from adapters.web.http.request_id import request_id_of
from adapters.web.middleware.request_log import RequestLog
from domain.errors import InvalidInput, NotFound, SlotkeeperError

_ONCE: Final = frozenset(
    (
        b"authorization",
        b"x-user-id",
        b"idempotency-key",
        b"host",
        b"content-length",
        b"calendly-webhook-signature",
    )
)
_WEBHOOKS: Final = b"/api/calendly/webhooks"
# Only bytes that a path must escape (RFC 3986, 2.2) are escaped, in capitals. Never accepted: an
# escaped slash, backslash, semicolon, percent sign, control character or byte beyond ASCII.
_ESCAPED: Final = rb"%(?:2[023]|3[CEF]|5[BDE]|60|7[BCD])"
_SEGMENT: Final = rb"(?!\.{1,2}(?:/|\Z))(?:[A-Za-z0-9._~!$&'()*+,=:@-]|" + _ESCAPED + rb")+"
_CANONICAL: Final = re.compile(rb"/|(?:/" + _SEGMENT + rb")+")

_NOT_CANONICAL: Final = "not_canonical"
_REPEATED: Final = "header_repeated"


class OneSpelling:
    """Wraps an ASGI application: the outermost layer, the fast paths included.

    A refusal has a request id, an access log line and a count in `slotkeeper_requests_refused`.
    """

    def __init__(self, app: ASGIApp, *, https: bool) -> None:
        self._app = app
        self._https = https
        refusal = cast(ASGIApp, _Refusal(_NOT_CANONICAL, _no_address))
        self._no_address = RequestLog(refusal, https=https)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run one request (ASGI)."""
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
        elif not is_canonical(_written(scope)):
            await self._no_address(scope, receive, send)
        elif (name := repeated_header(scope["headers"])) is not None:
            refusal = _Refusal(_REPEATED, lambda: _twice(name))
            await RequestLog(cast(ASGIApp, refusal), https=self._https)(scope, receive, send)
        else:
            await self._app(scope, receive, send)


class _Refusal:
    """An ASGI application that answers with one error."""

    def __init__(self, reason: str, error: Any) -> None:
        self._reason = reason
        self._error = error

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        REFUSED.labels(self._reason).inc()
        error: SlotkeeperError = self._error()
        for message in problem_messages(error, scope, request_id_of(scope)):
            await send(message)


def is_canonical(path: bytes) -> bool:
    """Return whether a path, as the request line spells it, is the one spelling of its address.

    The two webhook addresses may end with one slash, because a team registers them by hand.
    """
    if path.startswith(_WEBHOOKS) and path.endswith(b"/"):
        path = path[:-1]
    return _CANONICAL.fullmatch(path) is not None


def repeated_header(headers: Any) -> str | None:
    """Return the name of the first header that may come once and comes twice.

    Args:
        headers: pairs of a name in small letters and a value (ASGI).

    """
    names = [name for name, _ in headers if name in _ONCE]
    if len(names) == len(set(names)):
        return None
    twice = next(name for name in names if names.count(name) > 1)
    return str(twice, "ascii")


def _written(scope: Scope) -> bytes:
    """Return the path as it was sent, without the query that some servers leave on it."""
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    return raw.partition(b"?")[0]


def _no_address() -> NotFound:
    return NotFound(
        "There is nothing at this address: its path is not in its canonical form. "
        "Write it without empty or dot segments, a slash at its end or needless escapes."
    )


def _twice(name: str) -> InvalidInput:
    return InvalidInput(f"The header {name} may come once: send one value.")
