"""Fakes of the use cases that read the cache, and of the version lookup."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Protocol

from application.availability.read_busy_times import BusyTimesView
from application.availability.read_lists import EventTypesView, SchedulesView
from application.availability.read_slots import AvailabilityView
from application.integrations.view_integration import IntegrationView
from application.ports.storage.availability_cache import CacheKey, CacheKind
from domain.availability import BusyTime, EventType, Schedule, Slot
from domain.cache_policy import Freshness
from domain.errors import EventTypeNotFound
from domain.ids import IntegrationId, UserId
from tests.adapters.web import scenario
from tests.adapters.web.failures import Failures

TYPES = CacheKey(CacheKind.EVENT_TYPES)


class Host(Protocol):
    """The connected users, and their event types."""

    event_types: tuple[EventType, ...]

    async def view(self, user_id: UserId) -> IntegrationView:
        """Return the integration. Raises IntegrationNotFound."""
        ...


class Down(Protocol):
    """A database that may be unavailable."""

    async def ping(self) -> None:
        """Answer. Raises StorageUnavailable."""
        ...


class Clock(Protocol):
    """The time."""

    def now(self) -> datetime:
        """Return it (UTC)."""
        ...


class FakeCache:
    """The availability of hosts, at a version that a test raises with each of its changes.

    `asked` says for each read what was asked for at all, its `max_age` last.
    """

    def __init__(self, host: Host, storage: Down, clock: Clock, failures: Failures) -> None:
        self.slots: tuple[Slot, ...] = (scenario.slot(5), scenario.slot(30))
        self.busy: tuple[BusyTime, ...] = (scenario.busy_time(6),)
        self.schedules: tuple[Schedule, ...] = (scenario.schedule(),)
        self.version = 7
        self.freshness = Freshness.FRESH
        self.error_code: str | None = None
        self.asked: list[tuple[Any, ...]] = []
        self._host = host
        self._storage = storage
        self._clock = clock
        self._failures = failures

    async def read_event_types(
        self, user_id: UserId, *, max_age: timedelta | None = None
    ) -> EventTypesView:
        """Return the event types of a connected user."""
        await self._ask("read_event_types", user_id, max_age)
        return EventTypesView(self._host.event_types, *self._seen(TYPES))

    async def read_availability(
        self,
        user_id: UserId,
        event_type: str,
        start: datetime,
        end: datetime,
        *,
        max_age: timedelta | None = None,
    ) -> AvailabilityView:
        """Return the slots of one event type."""
        await self._ask("read_availability", user_id, event_type, start, end, max_age)
        for each in self._host.event_types:
            if event_type in {each.uri, each.uri.rsplit("/", 1)[-1]}:
                seen = self._seen(TYPES, CacheKey(CacheKind.SLOTS, each.uri))
                until = scenario.NOW + timedelta(days=31)
                return AvailabilityView(each, self.slots, start, end, until, *seen)
        raise EventTypeNotFound("This user has no active event type of that name.")

    async def read_busy_times(
        self, user_id: UserId, start: datetime, end: datetime, *, max_age: timedelta | None = None
    ) -> BusyTimesView:
        """Return the busy times."""
        await self._ask("read_busy_times", user_id, start, end, max_age)
        return BusyTimesView(self.busy, start, end, end, *self._seen(CacheKey(CacheKind.BUSY)))

    async def read_schedules(
        self, user_id: UserId, *, max_age: timedelta | None = None
    ) -> SchedulesView:
        """Return the schedules."""
        await self._ask("read_schedules", user_id, max_age)
        return SchedulesView(self.schedules, *self._seen(CacheKey(CacheKind.SCHEDULES)))

    async def _ask(self, name: str, user_id: UserId, *asked: Any) -> None:
        self._failures.check(name)
        await self._storage.ping()
        await self._host.view(user_id)
        self.asked.append((name, *asked))

    def _seen(self, *reads: CacheKey) -> tuple[Any, ...]:
        age = scenario.age(freshness=self.freshness, error_code=self.error_code)
        fresh = self.freshness is Freshness.FRESH
        until = age.stale_at if fresh else self._clock.now()
        return age, self.version, scenario.origin(*reads, valid_until=until)


class FakeInvalidation:
    """Invalidates everything cached."""

    def __init__(self, cache: FakeCache, host: Host) -> None:
        self._cache = cache
        self._host = host

    async def for_user(self, user_id: UserId) -> IntegrationView:
        """Invalidate the entries of a connected user."""
        view = await self._host.view(user_id)
        self._cache.version += 1
        self._cache.freshness = Freshness.INVALIDATED
        return view


class FakeVersionLookup:
    """One version for all, for the scenario's API key and while the database is available."""

    def __init__(self, cache: FakeCache, storage: Down) -> None:
        self.asked = 0
        self.revoked = False
        self._cache = cache
        self._storage = storage

    async def current(self, key_hash: bytes, integration_id: IntegrationId) -> int | None:
        """Return the version of the cache."""
        self.asked += 1
        await self._storage.ping()
        known = (key_hash, integration_id) == (scenario.KEY_HASH, scenario.INTEGRATION)
        return self._cache.version if known and not self.revoked else None


class FakeUsageTracker:
    """Remembers which reads were noted."""

    def __init__(self) -> None:
        self.noted: list[tuple[UserId, tuple[CacheKey, ...], datetime]] = []

    def note(self, user_id: UserId, reads: Iterable[CacheKey], now: datetime) -> None:
        """Note a read."""
        self.noted.append((user_id, tuple(reads), now))
