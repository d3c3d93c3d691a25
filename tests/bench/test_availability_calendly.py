"""The measurements' own Calendly, beside the sandbox and by itself."""

import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import asyncpg
import httpx
import msgspec
import pytest

from adapters.local_stack.postgres.server import EmbeddedPostgres
from bench.availability.calendly.answers import PAID, Answer, Asked, Calendly
from bench.availability.calendly.hosts import EVENT_TYPES, QUARTER, Host, Span
from bench.availability.reads.wire import wire_to
from bench.availability.town.truth import Taken
from bench.webhook_bodies import Meeting, canceled, created
from sandbox.app import create_app
from sandbox.settings import Settings
from sandbox.world import World

NOW = datetime.now(UTC)
HOST = Host(7)
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
        """Book as an invitee and cancel; the payloads that webhooks would carry."""
        who = {"user": self.user["email"], "name": "Grace", "email": "grace@example.net"}
        booked = (await self._http.post("/_control/invitees", json=who)).json()
        key = booked["uri"].rsplit("/", 1)[-1]
        canceled = await self._http.post(f"/_control/invitees/{key}/cancel", json={})
        return booked, canceled.json()

    async def book(self) -> None:
        """Book as an invitee."""
        who = {"user": self.user["email"], "name": "Grace", "email": "grace@example.net"}
        await self._http.post("/_control/invitees", json=who)

    async def get(self, path: str, params: dict[str, str]) -> Any:
        """Return the JSON of an answer."""
        headers = {"Authorization": f"Bearer {self._token}"}
        answer = await self._http.get(path, params=params, headers=headers)
        assert answer.is_success, answer.text
        return answer.json()


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    """One with a user who has a grant."""
    app: Any = create_app(World(Settings(users=1)))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://sandbox") as http:
        user = "/_control/users/user-00001@sandbox.example"
        grant = (await http.post(f"{user}/grant", json={})).json()
        yield Sandbox(http, (await http.get(user)).json(), grant["access_token"])


def asked(calendly: Calendly, path: str, **params: str) -> Answer:
    """Ask about a host."""
    return calendly.answer(Asked(path, urlencode(params), f"Bearer {HOST.token}"))


def shape(value: Any) -> Any:
    """Return which names there are at which depth; a list is its first item."""
    if isinstance(value, dict):
        return {name: shape(each) for name, each in value.items()}
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return [shape(value[0])]
    return None


@pytest.fixture
def calendly() -> Calendly:
    """One whose time is now."""
    return Calendly(NOW.timestamp)


async def test_it_answers_in_the_sandboxs_shape(calendly: Calendly, sandbox: Sandbox) -> None:
    """Each of the four reads has the same fields as the sandbox's, at every depth."""
    await sandbox.book()
    first = next(calendly.diary.free(HOST, 0, _next_week()))
    calendly.diary.book(HOST, 0, first)
    theirs, ours = sandbox.user["uri"], HOST.uri
    kind = sandbox.user["event_types"][1]["uri"]
    week = {name: value.replace("+00:00", "Z") for name, value in SPAN.items()}

    pairs = [
        (
            await sandbox.get(path, {**there, **span}),
            msgspec.json.decode(asked(calendly, path, **here, **span).body),
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

    assert [shape(ours) for _, ours in pairs] == [shape(theirs) for theirs, _ in pairs]


async def test_its_webhooks_have_the_sandboxs_fields(sandbox: Sandbox) -> None:
    """The fields about an invitee and the event in a delivery have the sandbox's names."""
    end = NOW + timedelta(minutes=30)
    kind = HOST.event_type_uri(0)
    meeting = Meeting(HOST.uri, kind, NOW, end, uuid.UUID(int=1), uuid.UUID(int=2))

    theirs = await sandbox.book_and_cancel()

    ours = created(meeting, NOW)["payload"], canceled(meeting, NOW, NOW)["payload"]
    for mine, sandboxs in zip(ours, theirs, strict=True):
        assert mine.keys() == sandboxs.keys()
        # Only the API shows which calendar an event is in; some deliveries do as well.
        mine_of_event = mine["scheduled_event"].keys() - {"calendar_event"}
        assert mine_of_event == sandboxs["scheduled_event"].keys()


def _next_week() -> Span:
    first = int(NOW.timestamp()) // QUARTER + 1
    return Span(first, first + 6 * 96)


def test_a_booking_takes_its_time_from_every_event_type(calendly: Calendly) -> None:
    """A booked start is no longer among the open ones, and returns after a cancellation."""
    before = {n: set(calendly.diary.free(HOST, n, _next_week())) for n in range(len(EVENT_TYPES))}
    start = min(before[2])

    booking = calendly.diary.book(HOST, 2, start)

    for number, kind in enumerate(EVENT_TYPES):
        left = set(calendly.diary.free(HOST, number, _next_week()))
        assert before[number] - left == {
            at for at in before[number] if start - kind.length < at < booking.end
        }
    calendly.diary.cancel(booking)
    assert set(calendly.diary.free(HOST, 2, _next_week())) == before[2]


def test_it_refuses_more_than_the_paid_plans_minute(calendly: Calendly) -> None:
    """A user's request beyond the limit is answered 429, and counted as that."""
    for _ in range(PAID + 1):
        answer = asked(calendly, "/event_types", user=HOST.uri)

    assert answer.status == 429
    assert calendly.statuses == {200: PAID, 429: 1}


def test_an_answer_that_is_known_is_not_repeated(calendly: Calendly) -> None:
    """A request with the current tag gets a 304."""
    first = asked(calendly, "/event_types", user=HOST.uri)

    again = calendly.answer(
        Asked("/event_types", "", f"Bearer {HOST.token}", first.headers["etag"])
    )

    assert (again.status, again.body) == (304, b"")


def test_only_delivered_and_standing_bookings_block(calendly: Calendly) -> None:
    """Every start that would collide is blocked from the delivery to the cancellation."""
    taken = Taken()
    booking = calendly.diary.book(HOST, 2, next(calendly.diary.free(HOST, 2, _next_week())))
    untouched = taken.blocked(HOST, 4)

    taken.delivered(booking)

    blocked = taken.blocked(HOST, 4)
    assert untouched == frozenset()
    assert {at // QUARTER for at in blocked} == set(range(booking.start - 3, booking.end))
    taken.canceled(booking)
    assert taken.blocked(HOST, 4) == frozenset()


async def test_round_trips_are_counted_where_they_pass(postgres: EmbeddedPostgres) -> None:
    """Each statement that is prepared already, and each simple query, is one round trip."""
    async with wire_to(postgres.port.number) as wire:
        there = postgres.dsn_of("postgres").replace(f":{postgres.port.number}/", f":{wire.port}/")
        connection = await asyncpg.connect(there)
        statement = await connection.prepare("SELECT $1::int")
        before = wire.trips
        await statement.fetchval(1)
        await statement.fetchval(2)
        prepared = wire.trips - before
        await connection.execute("BEGIN; ROLLBACK")
        simple = wire.trips - before - prepared
        await connection.close()

    assert (prepared, simple) == (2, 1)
