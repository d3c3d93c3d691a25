"""Applies fault rules to requests. ASGI, outermost, so that a fault hides everything else.

The control surface is spared, or a fault on `*` could never be lifted.
"""

import asyncio
from collections.abc import Callable
from typing import cast

import msgspec
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from sandbox.api.errors import internal_error
from sandbox.api.gate import answer, too_many_requests
from sandbox.faults.rules import FaultRule
from sandbox.ledger import route_of
from sandbox.world import World

ABORT = "sandbox.abort"
"""ASGI extension of our server: a callable that cuts the connection without an answer."""


class FaultInjection:
    """Counts every request, and lets the rule that strikes it have its way."""

    def __init__(self, app: ASGIApp, world: World) -> None:
        self._app = app
        self._world = world

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or let it meet its fault."""
        if scope["type"] != ScopeType.HTTP or scope["path"].startswith("/_control"):
            await self._app(scope, receive, send)
            return
        counters, method = self._world.counters, scope["method"]
        counters.requests[route_of(method, scope["path"])] += 1

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                counters.statuses[str(message["status"])] += 1
            await send(message)

        rule = self._world.faults.strike(method, scope["path"])
        if rule is None:
            await self._app(scope, receive, counted)
            return
        counters.faults[rule.kind] += 1
        await self._suffer(rule, scope, receive, counted)

    async def _suffer(self, rule: FaultRule, scope: Scope, receive: Receive, send: Send) -> None:
        match rule.kind:
            case "latency" if rule.processed:
                await self._app(scope, receive, _late(send, rule.seconds))
            case "latency":
                await asyncio.sleep(rule.seconds)
                await self._app(scope, receive, send)
            case "hang":
                await _hang(rule.seconds, receive)
                await _cut(scope, receive)
            case "drop_answer":
                await self._app(scope, receive, _swallow)
                await _cut(scope, receive)
            case "malformed":
                await self._app(scope, receive, _swallow)
                await answer(send, 200, b'{"resource": {"uri": "https://api.ca', [])
            case "rate_limited":
                await answer(send, 429, *self._rate_limited(rule))
            case "status":
                if rule.processed:
                    await self._app(scope, receive, _swallow)
                await answer(send, rule.status, _error_body(scope["path"], rule.status), [])

    def _rate_limited(self, rule: FaultRule) -> tuple[bytes, list[tuple[bytes, bytes]]]:
        headers = [(b"x-ratelimit-remaining", b"0"), (b"x-ratelimit-reset", b"60")]
        if rule.retry_after is not None:
            headers.append((b"retry-after", str(rule.retry_after).encode()))
        return too_many_requests(self._world, 60, headers)


async def _swallow(_: Message) -> None:
    """Let the request take effect and its answer go nowhere."""


def _late(send: Send, seconds: float) -> Send:
    """Let the request take effect now and its answer leave `seconds` later."""

    async def send_late(message: Message) -> None:
        if message["type"] == "http.response.start":
            await asyncio.sleep(seconds)
        await send(message)

    return send_late


async def _hang(seconds: float, receive: Receive) -> None:
    """Say nothing until the client leaves, `seconds` at most."""
    try:
        async with asyncio.timeout(seconds):
            await _until_disconnected(receive)
    except TimeoutError:
        pass


async def _cut(scope: Scope, receive: Receive) -> None:
    """Close the connection immediately; the client sees a protocol or read error."""
    extensions = cast("dict[str, Callable[[], None]]", scope["extensions"])
    extensions[ABORT]()
    await _until_disconnected(receive)


async def _until_disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _error_body(path: str, status: int) -> bytes:
    """An error body of the right family for the host."""
    if path.startswith("/oauth"):
        told = {"error": "server_error", "error_description": "Something went wrong."}
        return msgspec.json.encode(told)
    body = internal_error().body
    if status != 500:  # noqa: PLR2004 - only 500 has a documented text
        body = {"title": f"Error {status}", "message": "The request could not be completed."}
    return msgspec.json.encode(body)
