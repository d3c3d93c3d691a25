"""HEAD, answered as GET without the body (RFC 9110, 9.3.2).

Not where GET acts: a HEAD is what link checkers send, and must not spend a connect flow.
"""

from typing import cast

from litestar.types import ASGIApp, Message, Receive, Scope, Send

_ACTING = ("/api/calendly/connect", "/api/calendly/callback", "/api/cron/", "/demo/")


class HeadAsGet:
    """Wraps an ASGI application."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run one request (ASGI)."""
        if scope.get("method") != "HEAD" or scope["path"].startswith(_ACTING):
            await self._app(scope, receive, send)
            return

        async def send_without_body(message: Message) -> None:
            if message["type"] == "http.response.body":
                message["body"] = b""
            await send(message)

        # A copy: the server has to go on knowing that it answers a HEAD.
        asked = cast("Scope", {**scope, "method": "GET"})
        try:
            await self._app(asked, receive, send_without_body)
        finally:
            scope["path_template"] = asked.get("path_template", "unmatched")
