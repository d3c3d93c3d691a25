"""Only requests that were meant for this sandbox, and no posts from other sites.

The consent page needs no password. Without these checks a web site could press its buttons with
a developer's browser. It could post a form here (CSRF), or point a name of its own at this machine
(DNS rebinding).
"""

import json
from collections.abc import Collection
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send

_READING = frozenset({"GET", "HEAD", "OPTIONS"})
_MISDIRECTED, _FORBIDDEN = 421, 403


class OwnSite:
    """Wraps an ASGI application: 421 for another host's name, 403 for another site's post."""

    def __init__(self, app: ASGIApp, hosts: Collection[str]) -> None:
        self._app = app
        self._hosts = frozenset(each.lower() for each in hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run one request (ASGI)."""
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        if not self._is_ours(f"//{headers.get(b'host', '')}"):
            await _refuse(
                send,
                _MISDIRECTED,
                "This sandbox has another name. Add this one with --host-name (SANDBOX_HOST_NAMES).",
            )
        elif scope["method"] not in _READING and self._is_foreign(headers):
            await _refuse(send, _FORBIDDEN, "Another site may not post to this sandbox.")
        else:
            await self._app(scope, receive, send)

    def _is_foreign(self, headers: dict[bytes, str]) -> bool:
        """Whether a browser says that the post comes from another site; programs say nothing."""
        if headers.get(b"sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
            return True
        origin = headers.get(b"origin")
        if origin is None:
            return False
        return urlsplit(origin).netloc.lower() != headers.get(b"host", "").lower()

    def _is_ours(self, address: str) -> bool:
        try:
            host = urlsplit(address).hostname or ""
            return host == "localhost" or host in self._hosts or ip_address(host).is_loopback
        except ValueError:
            return False


async def _refuse(send: Send, status: int, message: str) -> None:
    body = json.dumps({"error": message}).encode()
    start: Any = {
        "type": "http.response.start",
        "status": status,
        "headers": [
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(body)),
        ],
    }
    await send(start)
    await send({"type": "http.response.body", "body": body, "more_body": False})
