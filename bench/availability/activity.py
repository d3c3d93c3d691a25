"""Reads, bookings and webhooks of simulated hours, minute by minute, with a sync every quarter.

Many reads are under way at the same time, as in a web process. The sync runs at the same time. The
next minute begins once both have ended, since a moved minute is a fraction of a real one.
"""

import asyncio
import heapq
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import accumulate, chain, count
from random import Random
from time import perf_counter

import msgspec

from application.jobs.job_result import JobResult
from bench.availability.simulated_calendly import (
    DAY,
    EVENT_TYPES,
    LENGTHS,
    QUARTER,
    Booking,
    Host,
    Span,
)
from bench.availability.simulation import Simulation
from bench.calendly_bookings import signature, webhook
from domain.availability import Slot
from domain.errors import SlotkeeperError
from domain.ids import IntegrationId, UserId
from domain.subscription import new_key

_MINUTE, _WEEK = timedelta(minutes=1), timedelta(days=7)
_SYNC_INTERVAL = 15  # minutes
_AT_ONCE = 16
_WEEKS_AHEAD = (0, 0, 0, 1, 2, 3)  # half of the readers want the coming week
_BOOKINGS_A_DAY = 5  # of each host
_DAYS_AHEAD = 14  # of the booked meetings
_CANCELED = 0.15  # of all bookings
_DELAY, _LONGEST_DELAY = 3.0, 120.0  # seconds until a webhook is delivered; on average, at most

Act = Callable[[], Awaitable[None]]


def zipf(ranks: Iterable[int]) -> list[float]:
    """Return the cumulative weights of ranks; the n-th is chosen 1/n as often as the first."""
    return list(accumulate(1 / rank for rank in ranks))


def collides(slots: Iterable[Slot], length: int, taken: frozenset[int]) -> bool:
    """Whether a meeting of this length (quarters) in one of the slots overlaps a taken quarter."""
    starts = (int(slot.start.timestamp()) // QUARTER for slot in slots)
    return any(not taken.isdisjoint(range(start, start + length)) for start in starts)


class DeliveredBookings:
    """The quarters of the active bookings whose webhooks were delivered."""

    def __init__(self) -> None:
        self._quarters: defaultdict[int, frozenset[int]] = defaultdict(frozenset)

    def add(self, booking: Booking) -> None:
        """Note that the webhook of a booking was delivered."""
        if booking.invitee.status == "active":
            self._quarters[booking.host.number] |= frozenset(booking.quarters)

    def remove(self, booking: Booking) -> None:
        """Note that a booking is canceled."""
        self._quarters[booking.host.number] -= frozenset(booking.quarters)

    def of(self, host: Host) -> frozenset[int]:
        """Return the quarters of a host, as they are now."""
        return self._quarters[host.number]


class Activity:
    """Lets time pass in a simulation.

    Args:
        simulation: the product and Calendly.
        ranks: of the simulated hosts among all hosts, by the number of the host.
        reads_a_minute: of all hosts together; Zipf's law distributes them.

    Attributes:
        answers: the count of reads by freshness, or by the code of the error.
        wrong: the count of answers with a slot that a delivered webhook had taken, by freshness.
        ages: the oldest answer (seconds), by freshness.
        reads_of: the count of reads by the number of the host.
        milliseconds: the real time of every tenth read.
        done: the count of bookings, cancellations and deliveries.
        synced: the result of all syncs.

    """

    def __init__(
        self, simulation: Simulation, ranks: Sequence[int], reads_a_minute: float
    ) -> None:
        self.answers: Counter[str] = Counter()
        self.wrong: Counter[str] = Counter()
        self.ages: Counter[str] = Counter()
        self.reads_of: Counter[int] = Counter()
        self.milliseconds: list[float] = []
        self.done: Counter[str] = Counter()
        self.synced = JobResult()
        self._simulation = simulation
        self._services = simulation.web.services
        self._clock = simulation.clock
        self._hosts = zipf(ranks)
        self._event_types = zipf(range(1, len(EVENT_TYPES) + 1))
        self._reads_a_minute = reads_a_minute
        self._bookings_a_minute = _BOOKINGS_A_DAY * len(simulation.ids) / (24 * 60)
        self._delivered = DeliveredBookings()
        self._planned: list[tuple[datetime, int, Act]] = []
        self._numbers = count()
        self._random = Random("activity")  # noqa: S311 - the same in every run

    async def pass_hours(self, hours: float) -> None:
        """Let so many hours pass."""
        for minute in range(int(hours * 60)):
            start = self._clock.now()
            work = [self._pass_minute(start)]
            if minute % _SYNC_INTERVAL == 0:
                work.append(self._sync())
            await asyncio.gather(*work)
            self._clock.move_to(start + _MINUTE)
            # A web process does this every few seconds of real time, too rarely for moved time.
            await self._services.usage.write()

    async def read(self, host: Host) -> None:
        """Read the slots of a host, and check the answer."""
        (position,) = self._random.choices(range(len(LENGTHS)), cum_weights=self._event_types)
        start = self._clock.now() + _WEEK * self._random.choice(_WEEKS_AHEAD)
        taken, user_id = self._delivered.of(host), UserId(self._simulation.ids[host.number])
        self.reads_of[host.number] += 1
        began = perf_counter()
        try:
            view = await self._services.read_availability(
                user_id, host.event_type_uri(position), start, start + _WEEK
            )
        except SlotkeeperError as error:
            self.answers[error.code] += 1
            return
        if self.reads_of.total() % 10 == 0:
            self.milliseconds.append(1_000 * (perf_counter() - began))
        freshness, age = view.age.freshness, self._clock.now() - view.age.fetched_at
        self.answers[freshness] += 1
        self.ages[freshness] = max(self.ages[freshness], int(age.total_seconds()))
        self.wrong[freshness] += collides(view.slots, LENGTHS[position], taken)

    async def _read_any(self) -> None:
        (number,) = self._random.choices(range(len(self._hosts)), cum_weights=self._hosts)
        await self.read(Host(number))

    async def _sync(self) -> None:
        self.synced = self.synced.plus(await self._simulation.sync())

    async def _pass_minute(self, start: datetime) -> None:
        for a_minute, act in (
            (self._reads_a_minute, self._read_any),
            (self._bookings_a_minute, self._book),
        ):
            for _ in range(int(a_minute + self._random.random())):
                self._plan(start + _MINUTE * self._random.random(), act)
        due = self._due(start + _MINUTE)

        async def work() -> None:
            for at, act in due:
                self._clock.move_to(at)
                await act()

        async with asyncio.TaskGroup() as group:
            for _ in range(_AT_ONCE):
                group.create_task(work())

    def _plan(self, at: datetime, act: Act) -> None:
        heapq.heappush(self._planned, (at, next(self._numbers), act))

    def _due(self, end: datetime) -> Iterator[tuple[datetime, Act]]:
        """Return one after the other what is planned before then, also during the iteration."""
        while self._planned and self._planned[0][0] < end:
            at, _, act = heapq.heappop(self._planned)
            yield at, act

    async def _book(self) -> None:
        """Book any open slot of any host; some invitees cancel later."""
        random, calendly, now = self._random, self._simulation.calendly, self._clock.now()
        host = Host(random.randrange(len(self._simulation.ids)))
        position = random.randrange(len(LENGTHS))
        first = int(now.timestamp()) // QUARTER + 1 + DAY * random.randrange(_DAYS_AHEAD)
        days = calendly.open_starts(host, position, Span(first, first + 4 * DAY))
        starts = list(chain.from_iterable(days))
        if not starts:
            self.done["found no slot"] += 1
            return
        booking = calendly.book(host, position, random.choice(starts), now)
        self.done["booked"] += 1
        self._deliver_later(booking)
        if random.random() < _CANCELED:
            later = timedelta(minutes=10) + timedelta(hours=12) * random.random()
            self._plan(now + later, lambda: self._cancel(booking))

    async def _cancel(self, booking: Booking) -> None:
        self._simulation.calendly.cancel(booking, self._clock.now())
        self._delivered.remove(booking)
        self.done["canceled"] += 1
        self._deliver_later(booking)

    def _deliver_later(self, booking: Booking) -> None:
        """Plan the delivery of the webhook about this change."""
        host, now = booking.host, self._clock.now()
        body = host.personalize(msgspec.json.encode(webhook(booking.invitee, now)))
        delay = min(self._random.expovariate(1 / _DELAY), _LONGEST_DELAY)

        async def deliver() -> None:
            await self._deliver(host, body)
            self._delivered.add(booking)

        self._plan(now + timedelta(seconds=delay), deliver)

    async def _deliver(self, host: Host, body: bytes) -> None:
        signing_key = self._services.settings.calendly_webhook_signing_key[0].reveal()
        signed = signature(body, int(self._clock.now().timestamp()), signing_key)
        key = new_key(IntegrationId(self._simulation.ids[host.number]), "bench")
        result = await self._services.ingest_webhook(body, signed, key)
        self.done["delivered and applied" if result.applied else "not applied"] += 1
