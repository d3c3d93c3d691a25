"""The deliveries and bookings in the database, read beside the service."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

import asyncpg
import msgspec

from adapters.persistence.rows.webhook_body import open_body
from domain.ids import IntegrationId
from tests.fakes.calendly import bodies
from tests.faults.rig import Rig
from tests.faults.webhook_lives import Lives, Post, Seat, Seats

_EVENTS = """
SELECT e.public_id, e.body_sealed, e.status, i.public_id AS host
FROM calendly_webhook_event e LEFT JOIN calendly_integration i ON i.id = e.integration_id
"""
_BOOKINGS = """
SELECT b.*, i.public_id AS host
FROM calendly_booking b JOIN calendly_integration i ON i.id = b.integration_id
"""

Fact = tuple[IntegrationId | None, bytes]


class Stored(msgspec.Struct, frozen=True):
    """Stored events by host and body, their number by status, and the bookings."""

    events: Counter[Fact]
    statuses: Counter[str]
    seats: Seats

    def lost(self, answered: Iterable[Post]) -> int:
        """Return how many of those that were answered 2xx are not stored."""
        return sum(self.events[post.host, post.body] == 0 for post in set(answered))

    @property
    def doubled(self) -> int:
        """How many events are there that say what another one says."""
        return self.events.total() - len(self.events)

    def wrong(self, truth: Seats, *, but: IntegrationId | None = None) -> int:
        """Return how many bookings differ from the truth, leaving out those of one host."""
        either = truth.keys() | self.seats.keys()
        return sum(truth.get(each) != self.seats.get(each) for each in either if each[0] != but)


async def stored(rig: Rig) -> Stored:
    """Read everything."""
    connection = await asyncpg.connect(rig.postgres.dsn)
    try:
        events = await connection.fetch(_EVENTS)
        bookings = await connection.fetch(_BOOKINGS)
    finally:
        await connection.close()
    return Stored(
        events=Counter((each["host"], open_body(each, rig.vault)) for each in events),
        statuses=Counter(each["status"] for each in events),
        seats={(each["host"], each["invitee_uri"]): _seat(each) for each in bookings},
    )


def summary_of(found: Stored, lives: Lives) -> str:
    """Return the figures in words."""
    right = len(lives.seats) - found.wrong(lives.seats)
    return f"{found.events.total():,} events, {right:,} of {len(lives.seats):,} bookings right"


def _seat(row: Any) -> Seat:
    canceled_at = row["canceled_at"]
    return Seat(
        status=row["status"],
        no_show=row["no_show_uri"] is not None,
        predecessor=row["predecessor_uri"],
        successor=row["successor_uri"],
        canceled_at=None if canceled_at is None else bodies.stamp(canceled_at),
    )
