"""The gate of the API: the caller, and its rate limit. ASGI, around all API routes.

Every answer of the API, also an error, carries the rate-limit headers of the caller's window.
"""

import msgspec
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from sandbox import ids
from sandbox.api.errors import unauthenticated
from sandbox.oauth.grants import TokenPair, Verdict
from sandbox.rates import REQUESTS_PER_MINUTE, Standing
from sandbox.world import World

_NOT_API = ("/oauth", "/_control")
_FRONT_PAGE = "/"
_UNKNOWN_LIMIT = 50


class ApiGate:
    """Authenticates Bearer tokens and keeps the window of each (app, user)."""

    def __init__(self, app: ASGIApp, world: World) -> None:
        self._app = app
        self._world = world

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request through with its caller, or answer 401 or 429."""
        if scope["type"] != ScopeType.HTTP or _is_open(scope["path"]):
            await self._app(scope, receive, send)
            return
        verdict, pair = self._world.grants.verdict(_bearer(scope))
        if verdict is not Verdict.VALID or pair is None:
            refusal = unauthenticated(verdict.value).body
            headers = _headers(Standing(_UNKNOWN_LIMIT, _UNKNOWN_LIMIT, 60, exceeded=False), 60)
            await answer(send, 401, msgspec.json.encode(refusal), headers)
            return
        await self._admit(pair, scope, receive, send)

    async def _admit(self, pair: TokenPair, scope: Scope, receive: Receive, send: Send) -> None:
        world, grant = self._world, pair.grant
        key = f"oauth:{grant.app.client_id}:{grant.user.uuid}"
        standing = world.rates.take(key, REQUESTS_PER_MINUTE[grant.user.plan])
        constant = world.switches.rate_limit_reset == "constant"
        headers = _headers(standing, 60 if constant else standing.reset)
        headers.append((b"x-ratelimit-key", key.encode()))
        if standing.exceeded:
            await answer(send, 429, *too_many_requests(world, standing.reset, headers))
            return
        world.grants.note_use(pair)
        scope["user"], scope["auth"] = grant.user, grant

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *headers]
            await send(message)

        await self._app(scope, receive, send_with_headers)


def too_many_requests(
    world: World, reset: int, headers: list[tuple[bytes, bytes]]
) -> tuple[bytes, list[tuple[bytes, bytes]]]:
    """Body and headers of a 429, whose form Calendly does not document."""
    if world.switches.rate_limited_retry_after:
        headers = [*headers, (b"retry-after", str(reset).encode())]
    if not world.switches.rate_limited_body:
        return b"", headers
    message = "You have exceeded the rate limit. Please try again later."
    return msgspec.json.encode({"title": "Too Many Requests", "message": message}), headers


async def answer(send: Send, status: int, body: bytes, headers: list[tuple[bytes, bytes]]) -> None:
    """Send a whole JSON answer without going through a route."""
    length = (b"content-length", str(len(body)).encode())
    start = [(b"content-type", b"application/json"), length, *headers]
    await send({"type": "http.response.start", "status": status, "headers": start})
    await send({"type": "http.response.body", "body": body, "more_body": False})


def _is_open(path: str) -> bool:
    return path == _FRONT_PAGE or path.startswith(_NOT_API)


def _bearer(scope: Scope) -> str | None:
    for name, value in scope["headers"]:
        if name == b"authorization":
            kind, _, token = value.decode("latin-1").partition(" ")
            return token.strip() if kind.lower() == "bearer" else None
    return None


def _headers(standing: Standing, reset: int) -> list[tuple[bytes, bytes]]:
    return [
        (b"x-ratelimit-limit", str(standing.limit).encode()),
        (b"x-ratelimit-remaining", str(standing.remaining).encode()),
        (b"x-ratelimit-reset", str(reset).encode()),
        (b"x-request-id", ids.fresh_id().encode()),
        (b"cache-control", b"max-age=0, private, must-revalidate"),
    ]
