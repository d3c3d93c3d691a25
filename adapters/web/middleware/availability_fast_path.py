"""Reads of availability, answered before the framework handles a request.

Most reads repeat a recent one, or want another range of the same slots. The route caches its
response as bytes, and the whole window that slots come from. The fast path asks the store in one
small statement whether that is still valid, and if so sends the bytes. The routes handle all other
requests, and all responses other than 200 and 304.

The rule not to break: the fast path sends what the route would send at this moment. So it asks the
store after the request arrived, whether the key is valid and whether anything in the response has
changed. A response that has become wrong with time is not used.
"""

import logging
from datetime import datetime
from time import perf_counter
from typing import Final, cast

import structlog
from litestar import Litestar
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from adapters.web.auth.rate_limits import rate_limits_of
from adapters.web.caching.response_cache import (
    CACHE_REQUEST,
    CachedResponse,
    CacheRequest,
    RawResponse,
    ResponseKey,
    response_cache_of,
)
from adapters.web.caching.slot_range import PATH, plain_range
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
    """Wraps an ASGI application, its request log included.

    Args:
        app: handles the requests that are not answered here.
        litestar: the application whose services are used.

    """

    def __init__(self, app: ASGIApp, litestar: Litestar) -> None:
        self._app = app
        self._litestar = litestar

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run one request (ASGI)."""
        request = _cache_request(scope) if scope["path"] in PATHS else None
        if request is None:
            await self._app(scope, receive, send)
            return
        began = perf_counter()
        services = cast(Services, self._litestar.state.services)
        cached = await self._confirmed(services, request)
        now = services.clock.now()
        response = None if cached is None else cached.respond(request, now)
        if cached is None or response is None:
            scope["state"][CACHE_REQUEST] = request
            await self._app(scope, receive, send)
            return
        request_id = choose_request_id(scope)
        for message in _messages(response, cached, request_id, now):
            await send(message)
        _count(services, cached, now)
        if _level.isEnabledFor(logging.DEBUG):
            _write(scope, response.status, request_id, perf_counter() - began)

    async def _confirmed(self, services: Services, request: CacheRequest) -> CachedResponse | None:
        """Return the cached response, if it is still valid."""
        responses = response_cache_of(self._litestar)
        key, cached = responses.find(request)
        if cached is None:
            return None
        validity = cached.validity
        try:
            version = await services.versions.current(key.key_hash, validity.integration_id)
        except SlotkeeperError:
            return None  # the route reports the error, or finds that it has ended
        if version == validity.version and services.clock.now() < validity.valid_until:
            limits = rate_limits_of(self._litestar)
            admitted = validity.key_id is None or limits.admits(validity.key_id, request.key.user)
            return cached if admitted else None
        responses.drop(key, cached)
        return None


def _cache_request(scope: Scope) -> CacheRequest | None:
    """Return the request, or None if a route has to handle it.

    A route decides about a repeated header. A key that is not ASCII is not an API key.
    """
    if scope.get("method") != "GET":
        return None
    authorization = user = if_none_match = None
    for name, value in scope["headers"]:
        if name == b"authorization":
            if authorization is not None:
                return None
            authorization = value
        elif name == b"x-user-id":
            if user is not None:
                return None
            user = value
        elif name == b"if-none-match":
            if_none_match = value if if_none_match is None else b"%s, %s" % (if_none_match, value)
    if authorization is None or user is None:
        return None
    scheme, _, token = authorization.partition(b" ")
    if scheme.lower() != b"bearer" or not token.isascii():
        return None
    path, query = scope["path"], scope["query_string"]
    key = ResponseKey(digest(token.strip().decode()), user, path, query)
    plain = plain_range(query) if path == PATH else None
    return CacheRequest(key, if_none_match, plain)


def _messages(
    response: RawResponse, cached: CachedResponse, request_id: str, now: datetime
) -> tuple[Message, Message]:
    """Return the response as it is sent (ASGI)."""
    age = max(int((now - cached.validity.fetched_at).total_seconds()), 0)
    headers = [
        *response.headers,
        (b"age", b"%d" % age),
        (b"x-request-id", request_id.encode()),
    ]
    return (
        {"type": "http.response.start", "status": response.status, "headers": headers},
        {"type": "http.response.body", "body": response.body, "more_body": False},
    )


def _count(services: Services, cached: CachedResponse, now: datetime) -> None:
    """Count a read, and note it for the sync once in READ_MARK_INTERVAL."""
    validity = cached.validity
    for key in validity.reads:
        services.telemetry.availability_read(key.kind, Freshness.FRESH)
    if now - cached.noted_at >= READ_MARK_INTERVAL:
        cached.noted_at = now
        services.usage.note(validity.user_id, validity.reads, now)
        if validity.key_id is not None:
            services.key_usage.note(validity.key_id, now)


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
