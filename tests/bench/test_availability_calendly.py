"""The simulated Calendly of the measurements, compared with the sandbox and by itself."""

from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Any
from urllib.parse import urlencode

import asyncpg
import httpx
import msgspec
import pytest

from adapters.local_stack.postgres.server import EmbeddedPostgres
from bench.availability.activity import DeliveredBookings, collides
from bench.availability.round_trips import counted_round_trips
from bench.availability.simulated_calendly import (
    LENGTHS,
    QUARTER,
    Host,
    Response,
    SimulatedCalendly,
    Span,
)
from bench.calendly_account import EVENT_TYPES
from bench.calendly_bookings import book, cancel, webhook
from domain.availability import Slot
from sandbox.app import create_app
from sandbox.clock import Clock
from sandbox.rates import REQUESTS_PER_MINUTE
from sandbox.settings import Settings
from sandbox.world import World

NOW = datetime.now(UTC)
HOST = Host(7)
LIMIT = REQUESTS_PER_MINUTE["paid"]
SPAN = {
    # Well ahead: the module is read when a run begins, which may be minutes before.
    "start_time": (NOW + timedelta(hours=1)).isoformat(),
    "end_time": (NOW + timedelta(days=7)).isoformat(),
}


class Sandbox:
    """The sandbox in this process, and one of its users."""

    def __init__(self, http: httpx.AsyncClient, user: dict[str, Any], token: str) -> None:
        self.user = user
        self._http = http
        self._token = token

    async def book_and_cancel(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Book as an invitee and cancel; return the payloads of the webhooks."""
        who = {"user": self.user["email"], "name": "Grace", "email": "grace@example.net"}
        booked = (await self._http.post("/_control/invitees", json=who)).json()
        key = booked["uri"].rsplit("/", 1)[-1]
        canceled = await self._http.post(f"/_control/invitees/{key}/cancel", json={})
        return booked, canceled.json()

    async def book(self, event_type: str, start: str) -> None:
        """Book as an invitee, at that time."""
        who = {"event_type": event_type, "name": "Grace", "email": "grace@example.net"}
        who["start_time"] = start
        answer = await self._http.post("/_control/invitees", json=who)
        assert answer.is_success, answer.text

    async def get(self, path: str, params: dict[str, str]) -> Any:
        """Return the JSON of an answer."""
        headers = {"Authorization": f"Bearer {self._token}"}
        answer = await self._http.get(path, params=params, headers=headers)
        assert answer.is_success, answer.text
        return answer.json()


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    """A sandbox with a user who has a grant."""
    app: Any = create_app(World(Settings(users=1)))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
        user = "/_control/users/user-00001@sandbox.example"
        grant = (await http.post(f"{user}/grant", json={})).json()
        yield Sandbox(http, (await http.get(user)).json(), grant["access_token"])


def get(calendly: SimulatedCalendly, path: str, **params: str) -> Response:
    """Send a request of a host."""
    return calendly.respond(path, urlencode(params), f"Bearer {HOST.token}")


def shape(value: Any) -> Any:
    """Return the names at each depth; a list is its first item."""
    if isinstance(value, dict):
        return {name: shape(each) for name, each in value.items()}
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return [shape(value[0])]
    return None


@pytest.fixture
def calendly() -> SimulatedCalendly:
    """A simulated Calendly that answers immediately."""
    return SimulatedCalendly(Clock(), latency=0)


def next_week() -> Span:
    """Return the coming days."""
    first = int(NOW.timestamp()) // QUARTER + 1
    return Span(first, first + 6 * 96)


def open_starts(calendly: SimulatedCalendly, position: int) -> list[int]:
    """Return the open starts of the coming days."""
    return list(chain.from_iterable(calendly.open_starts(HOST, position, next_week())))


def without_external(answer: dict[str, Any]) -> dict[str, Any]:
    """Return a list without the busy times of other calendars, which have fewer fields."""
    kept = [each for each in answer["collection"] if each.get("type") != "external"]
    assert kept
    return {**answer, "collection": kept}


async def test_it_answers_in_the_sandboxs_shape(
    calendly: SimulatedCalendly, sandbox: Sandbox
) -> None:
    """Each of the four reads has the same fields as the sandbox's, at every depth."""
    theirs, ours = sandbox.user["uri"], HOST.uri
    kind = sandbox.user["event_types"][1]["uri"]
    week = {name: value.replace("+00:00", "Z") for name, value in SPAN.items()}
    # Not the next start of each: it may be too soon for the span.
    free = await sandbox.get("/event_type_available_times", {"event_type": kind, **week})
    await sandbox.book(kind, free["collection"][0]["start_time"])
    calendly.book(HOST, 0, open_starts(calendly, 0)[8], NOW)

    pairs = [
        (
            await sandbox.get(path, {**there, **span}),
            msgspec.json.decode(get(calendly, path, **here, **span).body),
        )
        for path, there, here, span in (
            ("/event_types", {"user": theirs, "count": "100"}, {"user": ours}, {}),
            ("/user_availability_schedules", {"user": theirs}, {"user": ours}, {}),
            ("/user_busy_times", {"user": theirs}, {"user": ours}, week),
            (
                "/event_type_available_times",
                {"event_type": kind},
                {"event_type": HOST.event_type_uri(0)},
                week,
            ),
        )
    ]

    for theirs, ours in pairs:
        assert shape(without_external(ours)) == shape(without_external(theirs))


def test_each_account_has_addresses_of_its_own(calendly: SimulatedCalendly) -> None:
    """The event types of a host name the host, and no other."""
    body = get(calendly, "/event_types").body.decode()

    assert [each["uri"] for each in msgspec.json.decode(body)["collection"]] == [
        HOST.event_type_uri(position) for position in range(len(LENGTHS))
    ]
    assert HOST.uri in body
    assert Host(8).uri not in body


async def test_its_webhooks_have_the_sandboxs_fields(sandbox: Sandbox) -> None:
    """A delivery describes the invitee and the event with the sandbox's names."""
    start = int(NOW.timestamp())
    invitee = book(EVENT_TYPES[0], start, NOW)
    created = webhook(invitee, NOW)
    cancel(invitee, NOW)
    canceled = webhook(invitee, NOW)

    theirs = await sandbox.book_and_cancel()

    assert (created["event"], canceled["event"]) == ("invitee.created", "invitee.canceled")
    for mine, sandboxs in zip((created, canceled), theirs, strict=True):
        assert mine["payload"].keys() == sandboxs.keys()
        mine_of_event = mine["payload"]["scheduled_event"]
        assert mine_of_event.keys() == sandboxs["scheduled_event"].keys()


def test_a_booking_takes_its_time_from_every_event_type(calendly: SimulatedCalendly) -> None:
    """A booked time is not among the open starts, until the booking is canceled."""
    positions = range(len(LENGTHS))
    before = [set(open_starts(calendly, each)) for each in positions]
    start = min(before[2])

    booking = calendly.book(HOST, 2, start, NOW)

    for position in positions:
        left = set(open_starts(calendly, position))
        assert before[position] - left == {
            at for at in before[position] if start - LENGTHS[position] < at < start + LENGTHS[2]
        }
    calendly.cancel(booking, NOW)
    assert set(open_starts(calendly, 2)) == before[2]


def test_it_refuses_more_than_the_paid_plans_minute(calendly: SimulatedCalendly) -> None:
    """A user's request beyond the limit is answered 429, and counted as that."""
    for _ in range(LIMIT + 1):
        response = get(calendly, "/event_types", user=HOST.uri)

    assert response.status == 429
    assert calendly.statuses == {200: LIMIT, 429: 1}


def test_an_unchanged_response_is_not_repeated(calendly: SimulatedCalendly) -> None:
    """A request with the tag of the current response is answered 304."""
    first = get(calendly, "/event_types", user=HOST.uri)

    again = calendly.respond("/event_types", "", f"Bearer {HOST.token}", first.headers["etag"])

    assert (again.status, again.body) == (304, b"")


def slots_at(quarters: Iterable[int]) -> list[Slot]:
    """Return a slot at each quarter."""
    return [
        Slot(start=datetime.fromtimestamp(each * QUARTER, UTC), seats=1, scheduling_url="")
        for each in quarters
    ]


def test_every_slot_that_overlaps_a_booking_collides(calendly: SimulatedCalendly) -> None:
    """A slot collides from its length before a booking until the end of the booking."""
    booking = calendly.book(HOST, 2, open_starts(calendly, 2)[0], NOW)
    taken, start = frozenset(booking.quarters), booking.quarters.start

    found = [at for at in range(start - 9, start + 9) if collides(slots_at([at]), 4, taken)]

    assert found == list(range(start - 3, start + LENGTHS[2]))
    assert not collides(slots_at(range(start - 9, start + 9)), 4, frozenset())


def test_only_delivered_and_active_bookings_are_taken(calendly: SimulatedCalendly) -> None:
    """The quarters of a booking are taken from the delivery to the cancellation."""
    delivered = DeliveredBookings()
    booking = calendly.book(HOST, 2, open_starts(calendly, 2)[0], NOW)
    before = delivered.of(HOST)

    delivered.add(booking)

    assert before == frozenset()
    assert delivered.of(HOST) == set(booking.quarters)
    calendly.cancel(booking, NOW)
    delivered.remove(booking)
    delivered.add(booking)
    assert delivered.of(HOST) == frozenset()


async def test_round_trips_are_counted_on_the_wire(postgres: EmbeddedPostgres) -> None:
    """Each statement that is prepared already, and each simple query, is one round trip."""
    async with counted_round_trips(postgres.port.number) as counter:
        there = postgres.dsn_of("postgres").replace(
            f":{postgres.port.number}/", f":{counter.port}/"
        )
        connection = await asyncpg.connect(there)
        statement = await connection.prepare("SELECT $1::int")
        before = counter.count
        await statement.fetchval(1)
        await statement.fetchval(2)
        prepared = counter.count - before
        await connection.execute("BEGIN; ROLLBACK")
        simple = counter.count - before - prepared
        await connection.close()

    assert (prepared, simple) == (2, 1)
