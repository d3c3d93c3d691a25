"""Invitees: they book at Calendly, some cancel, and Calendly tells us a little later."""

import uuid
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, NamedTuple

import msgspec

from bench.availability.calendly.diary import Booking
from bench.availability.calendly.hosts import DAY, EVENT_TYPES, QUARTER, Host, Span
from bench.availability.town.town import Town
from bench.availability.town.truth import Taken
from bench.webhook_bodies import Meeting, canceled, created, signature
from domain.ids import IntegrationId
from domain.subscription import new_key

A_DAY = 5  # bookings of each host
_CANCELED = 0.15  # of all bookings
_AHEAD = 14  # days
_DELAY = 3.0  # seconds until a webhook is delivered, on average
_LONGEST_DELAY = 120.0

Act = Callable[[], Awaitable[None]]


class Planned(NamedTuple):
    """Something that happens at a moment (UTC)."""

    at: datetime
    act: Act


class Invitees:
    """What they do is planned as it comes up; `plan` is told of it.

    Attributes:
        done: bookings, cancellations and what became of their deliveries.

    """

    def __init__(self, town: Town, taken: Taken, plan: Callable[[Planned], None]) -> None:
        self._town = town
        self._taken = taken
        self._plan = plan
        self._random = Random("invitees")  # noqa: S311 - the same day in every run
        self.done: Counter[str] = Counter()
        self._key = town.web.settings.calendly_webhook_signing_key[0].reveal()

    def minute(self, start: datetime) -> Iterator[Planned]:
        """Return the bookings of a minute."""
        expected = A_DAY * len(self._town.ids) / (24 * 60)
        count = int(expected + self._random.random())
        for _ in range(count):
            yield Planned(start + timedelta(seconds=60 * self._random.random()), self._book)

    async def _book(self) -> None:
        """Take any open slot of anybody."""
        random, town = self._random, self._town
        host = Host(random.randrange(len(town.ids)))
        event_type = random.choice(EVENT_TYPES)
        now = town.clock.now()
        first = int(now.timestamp()) // QUARTER + 1 + DAY * random.randrange(_AHEAD)
        diary = town.calendly.diary
        free = list(diary.free(host, event_type.number, Span(first, first + 4 * DAY)))
        if not free:
            self.done["found no slot"] += 1
            return
        booking = diary.book(host, event_type.number, random.choice(free))
        self.done["booked"] += 1
        meeting, body = _meeting(booking), created(_meeting(booking), now)

        async def delivered() -> None:
            await self._deliver(host, body)
            if booking.number in diary.numbers(host):
                self._taken.delivered(booking)

        self._later(self._delay(), delivered)
        if random.random() < _CANCELED:
            after = timedelta(minutes=10) + timedelta(hours=12) * random.random()
            self._later(after, lambda: self._cancel(booking, meeting, now))

    async def _cancel(self, booking: Booking, meeting: Meeting, booked_at: datetime) -> None:
        self._town.calendly.diary.cancel(booking)
        self._taken.canceled(booking)
        self.done["canceled"] += 1
        body = canceled(meeting, booked_at, self._town.clock.now())
        self._later(self._delay(), lambda: self._deliver(booking.host, body))

    async def _deliver(self, host: Host, body: dict[str, Any]) -> None:
        raw = msgspec.json.encode(body)
        stamp = int(self._town.clock.now().timestamp())
        key = new_key(IntegrationId(self._town.ids[host.number]), "bench")
        ingested = await self._town.web.ingest_webhook(raw, signature(raw, stamp, self._key), key)
        self.done["delivered and applied" if ingested.applied else "not applied"] += 1

    def _delay(self) -> timedelta:
        seconds = min(self._random.expovariate(1 / _DELAY), _LONGEST_DELAY)
        return timedelta(seconds=seconds)

    def _later(self, after: timedelta, act: Act) -> None:
        self._plan(Planned(self._town.clock.now() + after, act))


def _meeting(booking: Booking) -> Meeting:
    host = booking.host
    return Meeting(
        account_uri=host.uri,
        event_type_uri=host.event_type_uri(booking.event_type),
        start=datetime.fromtimestamp(booking.start * QUARTER, UTC),
        end=datetime.fromtimestamp(booking.end * QUARTER, UTC),
        event=uuid.UUID(int=booking.number),
        invitee=uuid.UUID(int=booking.number + (1 << 64)),
    )
