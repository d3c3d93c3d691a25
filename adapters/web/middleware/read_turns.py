"""Reads of the API take turns, so that they leave the event loop to the webhooks.

A read that the fast path answers takes none: many of them share one statement.
"""

from typing import Any

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send

from adapters.web.http.admission import is_read
from adapters.web.http.read_concurrency import ReadConcurrency
from adapters.web.http.refusals import overloaded


class ReadTurns:
    """Wraps an ASGI application."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._concurrency = ReadConcurrency()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run one request (ASGI), a read when its turn comes."""
        if scope["type"] != ScopeType.HTTP or not _is_read(scope):
            await self._app(scope, receive, send)
            return
        async with self._concurrency.turn() as has_turn:
            if has_turn:
                await self._app(scope, receive, send)
            else:
                await overloaded(send)


def _is_read(scope: Any) -> bool:
    return is_read(scope["method"].encode(), scope["path"].encode())
