"""Which integrations' rows are locked, so that they do not delay other integrations' webhooks.

A group waits for its slowest lock, and so does every delivery in it. A delivery that met a lock
therefore bypasses the group, until one delivery of the same integration is applied.
"""

from collections.abc import Awaitable, Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from application.ports.clock import Clock
from application.webhooks.delivery import Delivery, IngestResult
from domain.errors import StorageContended
from domain.ids import IntegrationId
from domain.integration import Integration

BACKOFF: Final = timedelta(seconds=1)
"""How long an integration is not tried again after a delivery met its lock."""

FORGOTTEN_AFTER: Final = timedelta(minutes=1)
"""How long an integration bypasses the group while no delivery of it arrives."""


class _Lock(NamedTuple):
    seen_at: datetime
    row: bool


class Contention:
    """The locks that this process met recently, in memory only."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._locks: dict[Hashable, _Lock] = {}
        self._all_locked_at: datetime | None = None

    def locked(self, delivery: Delivery, *, row: bool = False) -> None:
        """Record that a delivery did not get a lock in time.

        Args:
            delivery: the delivery.
            row: whether the integration's row itself is locked, for example by an erasure, so
                that not even an event that refers to it can be stored.

        """
        now = self._clock.now()
        # Only this method adds locks, so it also removes the old ones; there are few at any time.
        self._locks = {
            key: lock for key, lock in self._locks.items() if now - lock.seen_at < FORGOTTEN_AFTER
        }
        self._locks[queue_key(delivery)] = _Lock(now, row)

    def unlocked(self, delivery: Delivery) -> None:
        """Record that a delivery was applied."""
        self._locks.pop(queue_key(delivery), None)

    def is_locked(self, delivery: Delivery) -> bool:
        """Whether the last attempt for this integration met a lock."""
        return self._is_within(delivery, FORGOTTEN_AFTER)

    def is_backing_off(self, delivery: Delivery) -> bool:
        """Whether it is too early to apply a delivery of this integration."""
        return self._is_within(delivery, BACKOFF)

    def is_row_locked(self, delivery: Delivery) -> bool:
        """Whether it is too early to store an event that refers to the integration."""
        return self._is_within(delivery, BACKOFF, row=True)

    def all_locked(self) -> None:
        """Record that not even an event that refers to no integration can be stored."""
        self._all_locked_at = self._clock.now()

    def is_all_locked(self) -> bool:
        """Whether whole tables are locked, for example by a migration."""
        at = self._all_locked_at
        return at is not None and self._clock.now() - at < BACKOFF

    def _is_within(self, delivery: Delivery, time: timedelta, *, row: bool = False) -> bool:
        # Nearly always there is no lock, and the key is not computed.
        lock = self._locks.get(queue_key(delivery)) if self._locks else None
        if lock is None or (row and not lock.row):
            return False
        return self._clock.now() - lock.seen_at < time


def queue_key(delivery: Delivery) -> Hashable:
    """Return a key that deliveries share if they need the same locks, as far as is known."""
    return delivery.integration_id or delivery.webhook.account_uris


def bypass_group(
    group: Callable[[Delivery], Awaitable[IngestResult | None]],
    singly: Callable[[Delivery], Awaitable[IngestResult | None]],
    contention: Contention,
) -> Callable[[Delivery], Awaitable[IngestResult | None]]:
    """Return an inbox that gives `singly` the deliveries that met a lock, and `group` the rest."""

    async def store(delivery: Delivery) -> IngestResult | None:
        if contention.is_locked(delivery):
            return await singly(delivery)
        return await group(delivery)

    return store


class LockedIntegrations:
    """The locks that one page of a job met; the next page tries again."""

    def __init__(self) -> None:
        self._locked: set[frozenset[IntegrationId]] = set()

    @contextmanager
    def recorded(self, integrations: Sequence[Integration]) -> Iterator[None]:
        """Record these integrations if the work inside meets a lock.

        Raises:
            StorageContended: the work met a lock, or earlier work for some of them did, and the
                work is not begun.

        """
        ids = frozenset(each.id for each in integrations)
        # A lock may be on any of a set's integrations, so only work for all of the set is skipped.
        if any(locked <= ids for locked in self._locked):
            raise StorageContended("The integration is locked, as this page found before.")
        try:
            yield
        except StorageContended:
            self._locked.add(ids)
            raise
