"""Malformed requests that would crash the framework: it refuses them with a 400 instead.

Invariant: a mistake of the sender is never answered with a 5xx status.
"""

from typing import Any, cast
from urllib.parse import quote_from_bytes

from litestar import Request
from litestar.exceptions import SerializationException
from litestar.types import ASGIApp, Receive, Scope, Send

_AS_THEY_ARE = bytes(range(0x21, 0x7F)).decode()


class ReadableRequest(Request[Any, Any, Any]):
    """Refuses a body that is nested too deeply or is not UTF-8."""

    async def json(self) -> Any:
        """Return the body as JSON. Raises SerializationException."""
        try:
            return await super().json()
        except (RecursionError, UnicodeDecodeError):
            raise SerializationException("nested too deeply, or not UTF-8") from None


class AsciiQuery:
    """Wraps an ASGI application: bytes that no query string may hold (RFC 3986) are escaped."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run one request (ASGI)."""
        query: bytes = scope.get("query_string", b"")
        if not query.isascii():
            escaped = quote_from_bytes(query, safe=_AS_THEY_ARE).encode()
            cast(Any, scope)["query_string"] = escaped
        await self._app(scope, receive, send)
