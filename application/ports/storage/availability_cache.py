"""The cache of what hosts offer, a part a row."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple, Protocol, Self

import msgspec

from domain.availability import Occupied, Window
from domain.cache_policy import Aging
from domain.ids import IntegrationId, UserId
from domain.integration import Integration

NEWS_AFTER = timedelta(minutes=15)  # what `read_at` may lag behind
# What overtakes slots and busy times that were fetched before a webhook came which waits to be
# applied: what it says is not known yet, but that there is news is.
WEBHOOK_PENDING = "webhook_pending"


class CacheKind(StrEnum):
    """What a row of the cache holds."""

    EVENT_TYPES = "event_types"
    SLOTS = "slots"
    BUSY = "busy"
    SCHEDULES = "schedules"


class CacheKey(NamedTuple):
    """Which row of a user: the key is an event type's URI for SLOTS, and may name a far cell."""

    part: CacheKind
    key: str = ""


class Scope(StrEnum):
    """What of a user's parts a change overtakes; schedules go with the event types."""

    BOOKINGS = "slots and busy"
    EVENT_TYPES = "event types and slots"
    EVERYTHING = "everything"


class Change(NamedTuple):
    """Why parts of a user are overtaken: each a webhook's kind or a command's name, or None.

    Args:
        bookings: what changed of bookings, which overtakes slots and busy times.
        event_types: what changed of event types, which overtakes them, schedules and slots.

    """

    bookings: str | None = None
    event_types: str | None = None

    @classmethod
    def of(cls, by: str, scope: Scope = Scope.BOOKINGS) -> Self:
        """Return a change that has one reason."""
        return cls(
            bookings=None if scope is Scope.EVENT_TYPES else by,
            event_types=None if scope is Scope.BOOKINGS else by,
        )

    def after(self, earlier: "Change | None") -> "Change":
        """Return this change together with one before it."""
        if earlier is None:
            return self
        return Change(self.bookings or earlier.bookings, self.event_types or earlier.event_types)


class CacheEntry(msgspec.Struct, frozen=True):
    """One part as it was fetched.

    Args:
        key: the event type's URI for SLOTS, else empty; of a far cell with its number, as
            `domain.windows` makes it.
        content: JSON of the domain values; empty when no fetch of this part ever succeeded, and
            in heads, which leave it in the store.
        fetched_at: the moment *before* the fetch began (UTC), so that what changes during the
            fetch counts as a change after it.
        covers: the span it answers for, where it has one.
        invalidated_at: when something changed since (UTC), or None.
        invalidated_by: a webhook's kind, a command's name or WEBHOOK_PENDING; None likewise.
        error_code: why the last fetch of this part failed, or None.
        etag: what Calendly called this content (RFC 9110), or None.
        read_at: when it was last read (UTC), known to within minutes; None when never.
        retry_at: after a failure, when Calendly may be asked for it again (UTC), or None.
        withheld: of a head: there is content, which was left in the store.

    """

    part: CacheKind
    key: str
    content: bytes
    fetched_at: datetime
    covers: Window | None = None
    invalidated_at: datetime | None = None
    invalidated_by: str | None = None
    error_code: str | None = None
    etag: str | None = None
    read_at: datetime | None = None
    retry_at: datetime | None = None
    withheld: bool = False

    @property
    def at(self) -> CacheKey:
        """Which row it is."""
        return CacheKey(self.part, self.key)

    @property
    def known(self) -> bool:
        """Whether a fetch ever brought its content."""
        return self.withheld or bool(self.content)

    def is_news(self, at: datetime) -> bool:
        """Whether a reading at that time (UTC) says more than is known of earlier ones."""
        if self.read_at is None:
            return True
        since = at - NEWS_AFTER
        return self.read_at < at and (self.read_at <= self.fetched_at or self.read_at < since)

    @property
    def seed(self) -> str:
        """What its deadlines are spread by; see `CachePolicy.deadlines`."""
        return f"{self.part} {self.key}"

    @property
    def aging(self) -> Aging:
        """How it grows old."""
        return Aging.TIMES if self.part in (CacheKind.SLOTS, CacheKind.BUSY) else Aging.LISTS

    @property
    def is_offer(self) -> bool:
        """Whether it is of what every user's readers ask for: event types and their slots."""
        return self.part in (CacheKind.EVENT_TYPES, CacheKind.SLOTS)


class CacheSnapshot(msgspec.Struct, frozen=True):
    """What one look at the store finds for a reader.

    Args:
        version: grows with every change of what an answer could say.
        parts: those of the wanted ones that are there.
        occupied: the times of the user's active bookings, ordered, where they were asked for.

    """

    integration: Integration
    version: int
    parts: Mapping[CacheKey, CacheEntry]
    occupied: tuple[Occupied, ...] = ()


class AvailabilityCache(Protocol):
    """Parts by user."""

    async def read(self, user_id: UserId, part: CacheKind, key: str = "") -> CacheEntry | None:
        """Return the part, or None when no fetch of it was ever tried."""
        ...

    async def entries(self, integration_id: IntegrationId) -> list[CacheEntry]:
        """Return all parts that an integration has, their content left in the store."""
        ...

    async def put(
        self, user_id: UserId, integration_id: IntegrationId, parts: Sequence[CacheEntry]
    ) -> None:
        """Store parts over their older selves.

        An older fetch never replaces a newer one. An invalidation made after the new
        `fetched_at` stays, and so does when the part was last read; its failure is forgotten.
        """
        ...

    async def renew(
        self, user_id: UserId, integration_id: IntegrationId, parts: Sequence[CacheEntry]
    ) -> None:
        """Set `fetched_at` and `covers` of parts that Calendly called unchanged.

        Their failure is forgotten. A part without content, or with another `etag` than the one
        given, is left alone: it is not what Calendly spoke of.
        """
        ...

    async def mark_failed(
        self, user_id: UserId, integration_id: IntegrationId, parts: Sequence[CacheEntry]
    ) -> None:
        """Remember by their `error_code` and `retry_at` that parts could not be fetched.

        What is known of a part stays; one that was never fetched is stored as it is given,
        without content. A failure for the same reason as before is no new version.
        """
        ...

    async def keep_only(self, user_id: UserId, part: CacheKind, bases: Sequence[str]) -> None:
        """Forget the parts of a kind whose key, far cells' included, has no base named here."""
        ...

    async def drop(self, user_id: UserId, keys: Sequence[CacheKey]) -> None:
        """Forget parts."""
        ...

    async def invalidate(
        self,
        user_ids: Sequence[UserId],
        now: datetime,
        *,
        by: str,
        scope: Scope = Scope.BOOKINGS,
    ) -> None:
        """Mark parts of these users as overtaken, and their sync as due now.

        Args:
            user_ids: in any order; unknown ones are passed over.
            now: when (UTC).
            by: why: a webhook's kind, or a command's name.
            scope: which parts. EVERYTHING forgets their failures as well: whoever calls for that,
                such as a new grant, may have ended their cause, so nothing rests for it.

        """
        ...

    async def invalidate_each(self, changed: Mapping[UserId, Change], now: datetime) -> None:
        """Do what `invalidate` does for several users, each with a change of its own."""
        ...

    async def mark_read(self, reads: Mapping[tuple[UserId, CacheKey], datetime]) -> None:
        """Remember when parts were read (UTC), for the parts and for their users' turn to sync.

        Only what says something new is written: see `CacheEntry.is_news`. Unknown parts are
        passed over, and so are those of a user whom somebody else is changing: a lost mark costs
        little, and nobody waits for one.
        """
        ...
