"""The network to the sandbox, watched: which refresh tokens were shown, and what broke."""

from collections import Counter
from collections.abc import Awaitable, Callable
from urllib.parse import parse_qs

import httpx

from adapters.calendly.http import KEEPALIVE, READ_TIMEOUT
from adapters.calendly.transport import CalendlyTransport

CONNECTIONS = 100

Send = Callable[[httpx.Request], Awaitable[httpx.Response]]
Through = Callable[[httpx.Request, Send], Awaitable[httpx.Response]]


class Line(CalendlyTransport):
    """The product's own transport; `timeout` is how long (seconds) it waits for an answer.

    Attributes:
        shown: how often each refresh token was sent.
        broken: how often the answer to each did not come.
        through: a hook between the product and the sandbox, which may answer itself.

    """

    def __init__(self) -> None:
        limits = httpx.Limits(
            max_connections=CONNECTIONS,
            max_keepalive_connections=CONNECTIONS,
            keepalive_expiry=KEEPALIVE,
        )
        super().__init__(limits=limits)
        self.timeout = READ_TIMEOUT
        self.shown: Counter[str] = Counter()
        self.broken: Counter[str] = Counter()
        self.through: Through | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request."""
        timeout = request.extensions["timeout"] | {"read": self.timeout}
        request.extensions = {**request.extensions, "timeout": timeout}
        token = _refresh_token(request)
        if token is not None:
            self.shown[token] += 1
        try:
            if self.through is not None:
                return await self.through(request, super().handle_async_request)
            return await super().handle_async_request(request)
        except httpx.TransportError:
            if token is not None:
                self.broken[token] += 1
            raise


def _refresh_token(request: httpx.Request) -> str | None:
    if not request.url.path.endswith("/oauth/token"):
        return None
    return parse_qs(request.content.decode()).get("refresh_token", [None])[0]
