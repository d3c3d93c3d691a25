"""Answers that were put together before, kept as the bytes that went out.

The rule not to break: nothing is given from here before the store confirmed that it still holds;
see `adapters.web.middleware.availability_fast_path`.
"""

from collections import OrderedDict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol, Self, cast

import msgspec
from litestar import Litestar
from litestar.types import Scope

from adapters.web.caching.etags import is_known
from adapters.web.caching.slot_range import PlainRange
from application.availability.cache_entries import CacheAge, Origin
from application.ports.storage.availability_cache import CacheKey
from domain.ids import IntegrationId, UserId

CAPACITY = 64 * 1024 * 1024  # bytes, a process
_LARGEST_SHARE = 16  # of the capacity that one answer may take: a 16th
_OVERHEAD = 2048  # bytes of a kept answer beside its body, at most about

CACHE_REQUEST = "availability_asked"  # where the request carries it, in the ASGI state

Headers = Sequence[tuple[bytes, bytes]]


class ResponseKey(NamedTuple):
    """What was asked, to the letter: whoever asks otherwise asks something else.

    Args:
        key_hash: of the API key (SHA-256); the key itself is not kept.
        user: X-User-Id as it came.

    """

    key_hash: bytes
    user: bytes
    path: str
    query: bytes


class WindowKey(NamedTuple):
    """Whose slots of which event type; otherwise as in ResponseKey."""

    key_hash: bytes
    user: bytes
    event_type: bytes


class CacheRequest(NamedTuple):
    """A request that may be answered without the route.

    Args:
        key: all of it.
        if_none_match: the header's value, its lines joined (RFC 9110, 5.3); None without one.
        plain: the range of open slots that it asks for, if it asks plainly.

    """

    key: ResponseKey
    if_none_match: bytes | None
    plain: PlainRange | None

    @property
    def window(self) -> WindowKey | None:
        """What the whole window may be kept under."""
        if self.plain is None:
            return None
        return WindowKey(self.key.key_hash, self.key.user, self.plain.event_type)


class RawResponse(NamedTuple):
    """An answer as it goes out, apart from Age and what is each request's own."""

    status: int
    headers: Headers
    body: bytes


class FixedHeaders(NamedTuple):
    """The headers that do not depend on what is in an answer, of the 200 and of the 304."""

    sent: Headers
    unchanged: Headers


class Seen(Protocol):
    """What a read from the cache brought, whatever it was."""

    @property
    def age(self) -> CacheAge:
        """How old it is."""
        ...

    @property
    def version(self) -> int:
        """Of the integration's availability, at the look that brought it."""
        ...

    @property
    def origin(self) -> Origin:
        """What it was made from."""
        ...


class Validity(NamedTuple):
    """What an answer rests on.

    Args:
        version: of the integration's availability, as the one look at the store saw it that the
            answer was made from.
        fetched_at: what its Age is counted from (UTC).
        valid_until: when the mere passing of time makes it another answer (UTC).

    """

    user_id: UserId
    integration_id: IntegrationId
    version: int
    fetched_at: datetime
    valid_until: datetime
    reads: tuple[CacheKey, ...]

    @classmethod
    def of(cls, user_id: UserId, seen: Seen, max_age: timedelta | None = None) -> Self:
        """Return what an answer of what was read for a user rests on.

        Args:
            user_id: whose.
            seen: what was read.
            max_age: how old the caller lets it be.

        """
        age, origin = seen.age, seen.origin
        ends = [origin.valid_until]
        if max_age is not None:
            ends.append(age.fetched_at + max_age)
        if age.error_code is not None:
            # Something of it could not be fetched: each read may bring it, none is to be saved.
            ends.append(age.fetched_at)
        return cls(
            user_id, origin.integration_id, seen.version, age.fetched_at, min(ends), origin.reads
        )


class CachedResponse(Protocol):
    """What answers again.

    Attributes:
        basis: what its answers rest on.
        noted_at: when reading it was last noted (UTC), so that the sync keeps it warm.

    """

    basis: Validity
    noted_at: datetime

    @property
    def size(self) -> int:
        """Bytes of memory that it takes, about."""
        ...

    def reply(self, asked: CacheRequest, now: datetime) -> RawResponse | None:
        """Return the answer to what is asked now (UTC), or None when this has none."""
        ...


class RenderedResponse(msgspec.Struct, eq=False):
    """Implements Kept: one answer of 200 as it went out.

    Args:
        headers: of the 200, apart from Age and what is each request's own.
        unchanged: the same of the 304.
        noted_at: when reading it was last noted (UTC), so that the sync keeps it warm.

    """

    body: bytes
    etag: bytes
    headers: Headers
    unchanged: Headers
    basis: Validity
    noted_at: datetime

    @property
    def size(self) -> int:
        """Bytes of memory that it takes, about."""
        return len(self.body) + _OVERHEAD

    def reply(self, asked: CacheRequest, now: datetime) -> RawResponse:  # noqa: ARG002 - always the same
        """Return the answer; 304 to whoever has it."""
        if is_known(self.etag, asked.if_none_match):
            return RawResponse(304, self.unchanged, b"")
        return RawResponse(200, self.headers, self.body)


Key = ResponseKey | WindowKey


class ResponseCache:
    """What answered most recently, by what was asked, within a bound of memory."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._held = 0
        self._answers: OrderedDict[Key, CachedResponse] = OrderedDict()

    def get(self, key: Key) -> CachedResponse | None:
        """Return what was answered last, or None."""
        found = self._answers.get(key)
        if found is not None:
            self._answers.move_to_end(key)
        return found

    def find(self, asked: CacheRequest) -> tuple[Key, CachedResponse | None]:
        """Return what may answer, and what it is kept under: the same question's before all."""
        kept = self.get(asked.key)
        if kept is None and (window := asked.window) is not None:
            return window, self.get(window)
        return asked.key, kept

    def keep(self, key: Key, answer: CachedResponse) -> None:
        """Keep an answer; the ones that were not asked for the longest make room."""
        self.drop(key)
        size = _size(key, answer)
        if size > self._capacity // _LARGEST_SHARE:
            return
        self._answers[key] = answer
        self._held += size
        while self._held > self._capacity:
            self._held -= _size(*self._answers.popitem(last=False))

    def drop(self, key: Key, answer: CachedResponse | None = None) -> None:
        """Forget what is kept under a key; with an answer given, only if it is still that one."""
        known = self._answers.get(key)
        if known is not None and (answer is None or known is answer):
            del self._answers[key]
            self._held -= _size(key, known)

    def __len__(self) -> int:
        """Return how many are kept."""
        return len(self._answers)


def _size(key: Key, answer: CachedResponse) -> int:
    return sum(map(len, key)) + answer.size


def response_cache_of(app: Litestar) -> ResponseCache:
    """Return the answers that the application remembers for as long as it runs."""
    return cast(ResponseCache, app.state.response_cache)


def cache_request_of(scope: Scope) -> CacheRequest | None:
    """Return what the route may remember its answer by, if the door could have given one."""
    asked: CacheRequest | None = scope["state"].get(CACHE_REQUEST)
    return asked
