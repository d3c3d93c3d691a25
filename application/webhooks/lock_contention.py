"""Which integrations' deliveries met somebody else's lock, so that they hold up nobody's but theirs.

The rule not to break: what is contended goes past the group until one of it was applied again. A
group waits for its slowest lock, and everybody in it with it.
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

REST: Final = timedelta(seconds=1)
"""How long nothing of an integration is tried again, once it met a lock."""

FORGOTTEN_AFTER: Final = timedelta(minutes=1)
"""How long an integration goes past the group when nothing more is delivered to it."""


class _Meeting(NamedTuple):
    at: datetime
    whole: bool


class Contention:
    """What one process met lately; it is lost with the process, and met again."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._met: dict[Hashable, _Meeting] = {}
        self._all_at: datetime | None = None

    def locked(self, delivery: Delivery, *, whole: bool = False) -> None:
        """Note that somebody holds what a delivery needs.

        Args:
            delivery: the one that waited in vain.
            whole: not even an event that refers to the integration can be stored: it is being
                erased.

        """
        now = self._clock.now()
        # Few at any time, and this is the only place where they become more.
        self._met = {key: one for key, one in self._met.items() if now - one.at < FORGOTTEN_AFTER}
        self._met[queue_key(delivery)] = _Meeting(now, whole)

    def unlocked(self, delivery: Delivery) -> None:
        """Note that a delivery was stored without meeting anybody."""
        self._met.pop(queue_key(delivery), None)

    def is_met(self, delivery: Delivery) -> bool:
        """Whether what a delivery needs was held when it was last looked at."""
        return self._is_within(delivery, FORGOTTEN_AFTER)

    def is_backing_off(self, delivery: Delivery) -> bool:
        """Whether it is too early to look again."""
        return self._is_within(delivery, REST)

    def is_held_whole(self, delivery: Delivery) -> bool:
        """Whether it is too early to store an event that refers to the integration."""
        return self._is_within(delivery, REST, whole=True)

    def met_all(self) -> None:
        """Note that not even an event that refers to no integration can be stored."""
        self._all_at = self._clock.now()

    def is_all_held(self) -> bool:
        """Whether whole tables are held, as a migration does, so that waiting helps nobody."""
        return self._all_at is not None and self._clock.now() - self._all_at < REST

    def _is_within(self, delivery: Delivery, time: timedelta, *, whole: bool = False) -> bool:
        # Nearly always nothing is contended, and nothing is computed then.
        found = self._met.get(queue_key(delivery)) if self._met else None
        if found is None or (whole and not found.whole):
            return False
        return self._clock.now() - found.at < time


def queue_key(delivery: Delivery) -> Hashable:
    """Return what deliveries have in common that meet the same locks, as far as is known."""
    return delivery.integration_id or delivery.webhook.account_uris


def bypass_group(
    group: Callable[[Delivery], Awaitable[IngestResult | None]],
    singly: Callable[[Delivery], Awaitable[IngestResult]],
    contention: Contention,
) -> Callable[[Delivery], Awaitable[IngestResult | None]]:
    """Return an inbox that gives the group what is not contended, and `singly` the rest."""

    async def take(delivery: Delivery) -> IngestResult | None:
        if contention.is_met(delivery):
            return await singly(delivery)
        return await group(delivery)

    return take


class LockedIntegrations:
    """What one page met; the next page looks again."""

    def __init__(self) -> None:
        self._met: set[frozenset[IntegrationId]] = set()

    @contextmanager
    def noted(self, integrations: Sequence[Integration]) -> Iterator[None]:
        """Note whom the work inside is for, if it meets a lock.

        Raises:
            StorageContended: one of them was held before, so the work is not begun; or is now.

        """
        ids = frozenset(each.id for each in integrations)
        # Of several it is not known which one is held: one of them is, wherever all of them are.
        if any(met <= ids for met in self._met):
            raise StorageContended("Somebody holds the integration, as the same page found out.")
        try:
            yield
        except StorageContended:
            self._met.add(ids)
            raise
