"""Weak ETags on reads, and 304 to a caller that sends the current one. ASGI, inside the gate.

As in Rails, the tag is a digest of the body, so equal bodies have equal tags. A 304 counts
against the caller's limit like any other answer, because it is made of the whole answer.
"""

import hashlib

from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPResponseStartEvent, Message, Receive, Scope, Send

from sandbox.world import World

_ABOUT_THE_BODY = (b"content-type", b"content-length")


class ConditionalReads:
    """Tags each successful GET of an authenticated caller, unless the switch is off."""

    def __init__(self, app: ASGIApp, world: World) -> None:
        self._app = app
        self._world = world

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or say that nothing changed."""
        read = scope["type"] == ScopeType.HTTP and scope["method"] == "GET"
        if not read or scope.get("auth") is None or not self._world.switches.etags:
            await self._app(scope, receive, send)
            return
        await self._app(scope, receive, _Tagging(send, _named(scope)))


class _Tagging:
    """Holds an answer's head back until its body, and so its tag, is known."""

    def __init__(self, send: Send, known: set[str]) -> None:
        self._send = send
        self._known = known
        self._start: HTTPResponseStartEvent | None = None
        self._body = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] == 200:  # noqa: PLR2004
            self._start = message
        elif message["type"] == "http.response.body" and self._start is not None:
            self._body += message["body"]
            if not message.get("more_body", False):
                await self._answer(self._start)
        else:
            await self._send(message)

    async def _answer(self, start: HTTPResponseStartEvent) -> None:
        tag, body, headers = _tag(self._body), self._body, list(start["headers"])
        if {"*", _opaque(tag)} & self._known:
            start["status"], body = 304, b""
            headers = [pair for pair in headers if pair[0].lower() not in _ABOUT_THE_BODY]
        start["headers"] = [*headers, (b"etag", tag.encode())]
        await self._send(start)
        await self._send({"type": "http.response.body", "body": body, "more_body": False})


def _tag(body: bytes) -> str:
    return f'W/"{hashlib.sha256(body).hexdigest()[:32]}"'


def _opaque(tag: str) -> str:
    """The part that a weak comparison compares (RFC 9110, 8.8.3.2)."""
    return tag.strip().removeprefix("W/")


def _named(scope: Scope) -> set[str]:
    lines = [value for name, value in scope["headers"] if name == b"if-none-match"]
    return {_opaque(each) for line in lines for each in line.decode("latin-1").split(",")}
