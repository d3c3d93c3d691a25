"""Answers that were put together before, kept as the bytes that went out.

The rule not to break: nothing is given from here before the store confirmed that it still holds;
see `adapters.web.availability_door`.
"""

from collections import OrderedDict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol, Self

import msgspec

from application.cached_values import CacheAge, Origin
from application.ports.availability_cache import PartKey
from domain.ids import IntegrationId, UserId

CAPACITY = 32 * 1024 * 1024  # bytes, a process
_LARGEST_SHARE = 16  # of the capacity that one answer may take: a 16th
_OVERHEAD = 2048  # bytes of a kept answer beside its body, at most about

Headers = Sequence[tuple[bytes, bytes]]


class AnswerKey(NamedTuple):
    """What was asked, to the letter: whoever asks otherwise asks something else.

    Args:
        key_hash: of the API key (SHA-256); the key itself is not kept.
        user: X-User-Id as it came.

    """

    key_hash: bytes
    user: bytes
    path: str
    query: bytes


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


class Basis(NamedTuple):
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
    reads: tuple[PartKey, ...]

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


class RenderedAnswer(msgspec.Struct, eq=False):
    """An answer of 200 as it goes out.

    Args:
        headers: of the 200, apart from Age and what is each request's own.
        unchanged: the same of the 304.
        noted_at: when reading it was last noted (UTC), so that the sync keeps it warm.

    """

    body: bytes
    etag: bytes
    headers: Headers
    unchanged: Headers
    basis: Basis
    noted_at: datetime


class RenderedAnswers:
    """The answers given most recently, by what was asked, within a bound of memory."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._held = 0
        self._answers: OrderedDict[AnswerKey, RenderedAnswer] = OrderedDict()

    def get(self, key: AnswerKey) -> RenderedAnswer | None:
        """Return what was answered last, or None."""
        found = self._answers.get(key)
        if found is not None:
            self._answers.move_to_end(key)
        return found

    def keep(self, key: AnswerKey, answer: RenderedAnswer) -> None:
        """Keep an answer; the ones that were not asked for the longest make room."""
        self.drop(key)
        size = _size(key, answer)
        if size > self._capacity // _LARGEST_SHARE:
            return
        self._answers[key] = answer
        self._held += size
        while self._held > self._capacity:
            self._held -= _size(*self._answers.popitem(last=False))

    def drop(self, key: AnswerKey, answer: RenderedAnswer | None = None) -> None:
        """Forget what is kept under a key; with an answer given, only if it is still that one."""
        known = self._answers.get(key)
        if known is not None and (answer is None or known is answer):
            del self._answers[key]
            self._held -= _size(key, known)

    def __len__(self) -> int:
        """Return how many are kept."""
        return len(self._answers)


def _size(key: AnswerKey, answer: RenderedAnswer) -> int:
    return len(answer.body) + len(key.query) + len(key.user) + _OVERHEAD
