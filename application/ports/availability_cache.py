"""The cache of what hosts offer, a part a row."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Protocol

import msgspec

from domain.availability import Window
from domain.ids import IntegrationId, UserId


class Part(StrEnum):
    """What a row of the cache holds."""

    EVENT_TYPES = "event_types"
    SLOTS = "slots"
    BUSY = "busy"
    SCHEDULES = "schedules"


class CachedPart(msgspec.Struct, frozen=True):
    """One part as it was fetched.

    Args:
        key: the event type's URI for SLOTS, else empty.
        content: JSON of the domain values; empty when no fetch of this part ever succeeded.
        fetched_at: the moment *before* the fetch began (UTC), so that what changes during the
            fetch counts as a change after it.
        covers: the span it answers for, where it has one.
        invalidated_at: when something changed since (UTC), or None.
        error_code: why the last fetch of this part failed, or None.

    """

    part: Part
    key: str
    content: bytes
    fetched_at: datetime
    covers: Window | None = None
    invalidated_at: datetime | None = None
    invalidated_by: str | None = None
    error_code: str | None = None


class AvailabilityCache(Protocol):
    """Parts by user; one round trip a read."""

    async def read(self, user_id: UserId, part: Part, key: str = "") -> CachedPart | None:
        """Return the part, or None when no fetch of it was ever tried."""
        ...

    async def put(
        self, user_id: UserId, integration_id: IntegrationId, parts: Sequence[CachedPart]
    ) -> None:
        """Store parts over their older selves.

        An older fetch never replaces a newer one. An invalidation made after the new
        `fetched_at` stays.
        """
        ...

    async def mark_failed(
        self, user_id: UserId, integration_id: IntegrationId, parts: Sequence[CachedPart]
    ) -> None:
        """Remember by their `error_code` why parts could not be fetched.

        What is known of a part stays; one that was never fetched is stored as it is given,
        without content.
        """
        ...

    async def keep_only(self, user_id: UserId, part: Part, keys: Sequence[str]) -> None:
        """Forget the parts of a kind whose key is not named: deleted event types."""
        ...

    async def invalidate(self, user_ids: Sequence[UserId], now: datetime, *, by: str) -> None:
        """Mark every part of these users as overtaken, and their sync as due now.

        Args:
            user_ids: in any order; unknown ones are passed over.
            now: when (UTC).
            by: why: a webhook's kind, or a command's name.

        """
        ...

    async def invalidate_each(self, changed: Mapping[UserId, str], now: datetime) -> None:
        """Do what `invalidate` does for several users, each with a reason of its own."""
        ...
