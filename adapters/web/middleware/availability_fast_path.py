"""Reads of availability, answered before the framework's own handling of a request.

Most reads ask again for what was answered a moment ago, or for another range of the same slots.
The route remembers its answer as bytes, and the whole window that slots were cut from; here the
store is asked in one small statement whether that still holds, and if so the bytes go out.
Everything else, and every answer that is not 200 or 304, is the routes' business.

The rule not to break: what is served here is what the route would have answered at this moment.
So the store is asked after the request arrived, whether its key lives and whether anything that
the answer says has changed, and an answer that time alone makes wrong is not used.
"""

import logging
from datetime import datetime
from time import perf_counter
from typing import Final, cast

import structlog
from litestar import Litestar
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from adapters.web.caching import slot_range as plain_range
from adapters.web.caching.response_cache import (
    CACHE_REQUEST,
    CachedResponse,
    CacheRequest,
    RawResponse,
    ResponseKey,
    response_cache_of,
)
from adapters.web.http.request_id import choose_request_id
from adapters.wiring.services import Services
from application.ports.storage.availability_cache import READ_MARK_INTERVAL
from application.security.hashing import digest
from domain.cache_policy import Freshness
from domain.errors import SlotkeeperError

PREFIX: Final = "/api/calendly"
PATHS: Final = frozenset(
    f"{PREFIX}/{name}" for name in ("availability", "event-types", "busy-times", "schedules")
)
_LOGGER = "slotkeeper.access"

_log = structlog.get_logger(_LOGGER)
_level = logging.getLogger(_LOGGER)


class AvailabilityFastPath:
    """Wraps an ASGI application, the log of requests included.

    Args:
        app: answers what is not answered here.
        litestar: the application whose services are used.

    """

    def __init__(self, app: ASGIApp, litestar: Litestar) -> None:
        self._app = app
        self._litestar = litestar

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run one request (ASGI)."""
        asked = _asked(scope) if scope["path"] in PATHS else None
        if asked is None:
            await self._app(scope, receive, send)
            return
        began = perf_counter()
        services = cast(Services, self._litestar.state.services)
        kept = await self._confirmed(services, asked)
        now = services.clock.now()
        reply = None if kept is None else kept.reply(asked, now)
        if kept is None or reply is None:
            scope["state"][CACHE_REQUEST] = asked
            await self._app(scope, receive, send)
            return
        request_id = choose_request_id(scope)
        for message in _messages(reply, kept, request_id, now):
            await send(message)
        _count(services, kept, now)
        if _level.isEnabledFor(logging.DEBUG):
            _write(scope, reply.status, request_id, perf_counter() - began)

    async def _confirmed(self, services: Services, asked: CacheRequest) -> CachedResponse | None:
        """Return what answered before, if it still holds."""
        answers = response_cache_of(self._litestar)
        key, kept = answers.find(asked)
        if kept is None:
            return None
        basis = kept.basis
        try:
            version = await services.versions.current(key.key_hash, basis.integration_id)
        except SlotkeeperError:
            return None  # the route says what is wrong, or finds that it has passed
        if version == basis.version and services.clock.now() < basis.valid_until:
            return kept
        answers.drop(key, kept)
        return None


def _asked(scope: Scope) -> CacheRequest | None:
    """Return what is asked; None for what a route has to look at.

    A header that comes twice is not for us to choose from, and a key that is no ASCII is none of
    ours.
    """
    if scope.get("method") != "GET":
        return None
    given = user = if_none_match = None
    for name, value in scope["headers"]:
        if name == b"authorization":
            if given is not None:
                return None
            given = value
        elif name == b"x-user-id":
            if user is not None:
                return None
            user = value
        elif name == b"if-none-match":
            if_none_match = value if if_none_match is None else b"%s, %s" % (if_none_match, value)
    if given is None or user is None:
        return None
    scheme, _, token = given.partition(b" ")
    if scheme.lower() != b"bearer" or not token.isascii():
        return None
    path, query = scope["path"], scope["query_string"]
    key = ResponseKey(digest(token.strip().decode()), user, path, query)
    plain = plain_range.plain_range(query) if path == plain_range.PATH else None
    return CacheRequest(key, if_none_match, plain)


def _messages(
    reply: RawResponse, kept: CachedResponse, request_id: str, now: datetime
) -> tuple[Message, Message]:
    """Return the answer as it is sent (ASGI)."""
    age = max(int((now - kept.basis.fetched_at).total_seconds()), 0)
    headers = [
        *reply.headers,
        (b"age", b"%d" % age),
        (b"x-request-id", request_id.encode()),
    ]
    return (
        {"type": "http.response.start", "status": reply.status, "headers": headers},
        {"type": "http.response.body", "body": reply.body, "more_body": False},
    )


def _count(services: Services, kept: CachedResponse, now: datetime) -> None:
    """Count a read, and note it for the sync where that says something new."""
    basis = kept.basis
    for key in basis.reads:
        services.telemetry.availability_read(key.kind, Freshness.FRESH)
    if now - kept.noted_at >= READ_MARK_INTERVAL:
        kept.noted_at = now
        services.usage.note(basis.user_id, basis.reads, now)


def _write(scope: Scope, status: int, request_id: str, seconds: float) -> None:
    _log.debug(
        "request",
        request_id=request_id,
        method="GET",
        route=scope["path"],
        status=status,
        duration_ms=round(seconds * 1000, 1),
        error_code=None,
    )
