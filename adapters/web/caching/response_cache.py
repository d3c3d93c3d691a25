"""Responses that were built before, cached as the bytes that were sent.

The rule not to break: no response is sent from here before the store confirmed that it is still
valid; see `adapters.web.middleware.availability_fast_path`.
"""

from collections import OrderedDict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol, Self, cast
from uuid import UUID

import msgspec
from litestar import Litestar
from litestar.types import Scope

from adapters.web.caching.etags import is_known
from adapters.web.caching.slot_range import PlainRange
from application.availability.cache_entries import CacheAge, Origin
from application.ports.storage.availability_cache import CacheKey
from domain.ids import IntegrationId, UserId

CAPACITY = 64 * 1024 * 1024  # bytes, a process
_LARGEST_SHARE = 16  # one response may take a 16th of the capacity
_OVERHEAD = 2048  # bytes of a cached response beside its body, an upper estimate

CACHE_REQUEST = "availability_cache_request"  # its key in the ASGI state of a request

Headers = Sequence[tuple[bytes, bytes]]


class ResponseKey(NamedTuple):
    """The request to the letter: a different spelling is a different key.

    Args:
        key_hash: of the API key (SHA-256); the key itself is not stored.
        user: X-User-Id as it was sent.

    """

    key_hash: bytes
    user: bytes
    path: str
    query: bytes


class WindowKey(NamedTuple):
    """The user and event type of slots; otherwise as in ResponseKey."""

    key_hash: bytes
    user: bytes
    event_type: bytes


class CacheRequest(NamedTuple):
    """A request that the cache may answer without the route.

    Args:
        key: the whole request.
        if_none_match: the header's value, its lines joined (RFC 9110, 5.3); None without one.
        plain: the requested range of open slots, if the query has the plain form.

    """

    key: ResponseKey
    if_none_match: bytes | None
    plain: PlainRange | None

    @property
    def window(self) -> WindowKey | None:
        """The key of the whole window."""
        if self.plain is None:
            return None
        return WindowKey(self.key.key_hash, self.key.user, self.plain.event_type)


class RawResponse(NamedTuple):
    """A response as it is sent, without Age and the headers of each single request."""

    status: int
    headers: Headers
    body: bytes


class FixedHeaders(NamedTuple):
    """The headers that do not depend on the content, of the 200 and of the 304."""

    sent: Headers
    unchanged: Headers


class CachedView(Protocol):
    """Any view that a use case read from the availability cache."""

    @property
    def age(self) -> CacheAge: ...

    @property
    def version(self) -> int: ...

    @property
    def origin(self) -> Origin: ...


class Validity(NamedTuple):
    """The conditions under which a response is valid.

    Args:
        version: of the integration's availability, in the snapshot that the response comes from.
        fetched_at: the start of its Age (UTC).
        valid_until: when the passing of time alone makes another response (UTC).
        reads: the keys of the cache entries that it uses.
        key_id: of the API key that asks for it.

    """

    user_id: UserId
    integration_id: IntegrationId
    version: int
    fetched_at: datetime
    valid_until: datetime
    reads: tuple[CacheKey, ...]
    key_id: UUID | None = None

    @classmethod
    def of(cls, user_id: UserId, view: CachedView, max_age: timedelta | None = None) -> Self:
        """Return the validity of a response.

        Args:
            user_id: the user.
            view: the use case's view.
            max_age: the maximal age that the caller accepts.

        """
        age, origin = view.age, view.origin
        ends = [origin.valid_until]
        if max_age is not None:
            ends.append(age.fetched_at + max_age)
        if age.error_code is not None:
            # An entry could not be fetched. The next read may fetch it, so nothing is cached.
            ends.append(age.fetched_at)
        return cls(
            user_id, origin.integration_id, view.version, age.fetched_at, min(ends), origin.reads
        )


class CachedResponse(Protocol):
    """A cached response, or the source of several.

    Attributes:
        validity: the conditions under which its responses are valid.
        noted_at: when a read of it was last noted for the sync (UTC).

    """

    validity: Validity
    noted_at: datetime

    @property
    def size(self) -> int:
        """Bytes of memory that it takes, an estimate."""
        ...

    def respond(self, request: CacheRequest, now: datetime) -> RawResponse | None:
        """Return the response to a request at this time (UTC), or None if it has none."""
        ...


class RenderedResponse(msgspec.Struct, eq=False):
    """Implements CachedResponse: one response of 200.

    Args:
        headers: of the 200, without Age and the headers of each single request.
        unchanged: the same of the 304.
        noted_at: when a read of it was last noted for the sync (UTC).

    """

    body: bytes
    etag: bytes
    headers: Headers
    unchanged: Headers
    validity: Validity
    noted_at: datetime

    @property
    def size(self) -> int:
        return len(self.body) + _OVERHEAD

    def respond(self, request: CacheRequest, now: datetime) -> RawResponse:  # noqa: ARG002 - always the same
        if is_known(self.etag, request.if_none_match):
            return RawResponse(304, self.unchanged, b"")
        return RawResponse(200, self.headers, self.body)


Key = ResponseKey | WindowKey


class ResponseCache:
    """The most recently used responses, within a limit of memory (bytes)."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._used = 0
        self._responses: OrderedDict[Key, CachedResponse] = OrderedDict()

    def get(self, key: Key) -> CachedResponse | None:
        cached = self._responses.get(key)
        if cached is not None:
            self._responses.move_to_end(key)
        return cached

    def find(self, request: CacheRequest) -> tuple[Key, CachedResponse | None]:
        """Return the cached response with its key; the same request's is preferred."""
        cached = self.get(request.key)
        if cached is None and (window := request.window) is not None:
            return window, self.get(window)
        return request.key, cached

    def put(self, key: Key, response: CachedResponse) -> None:
        """Cache a response; the least recently used ones are dropped."""
        self.drop(key)
        size = _size(key, response)
        if size > self._capacity // _LARGEST_SHARE:
            return
        self._responses[key] = response
        self._used += size
        while self._used > self._capacity:
            self._used -= _size(*self._responses.popitem(last=False))

    def drop(self, key: Key, response: CachedResponse | None = None) -> None:
        """Drop the response of a key; with `response` only if it is still that one."""
        cached = self._responses.get(key)
        if cached is not None and (response is None or cached is response):
            del self._responses[key]
            self._used -= _size(key, cached)

    def __len__(self) -> int:
        return len(self._responses)


def _size(key: Key, response: CachedResponse) -> int:
    return sum(map(len, key)) + response.size


def response_cache_of(app: Litestar) -> ResponseCache:
    return cast(ResponseCache, app.state.response_cache)


def cache_request_of(scope: Scope) -> CacheRequest | None:
    """Return the key for the route's response, if the fast path could have answered."""
    request: CacheRequest | None = scope["state"].get(CACHE_REQUEST)
    return request
