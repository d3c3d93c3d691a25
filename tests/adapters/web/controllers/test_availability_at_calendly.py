"""Reads through the whole service, with the sandbox in Calendly's place."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from structlog.testing import capture_logs

from domain.secret import Secret
from tests import samples
from tests.adapters.web.real_edge import Edge, open_edge, running_sandbox
from tests.adapters.web.serving import problem_in
from tests.fakes.randomness import FakeRandomness

NOW = datetime.now(UTC).replace(microsecond=0)
DAY = timedelta(days=1)


@pytest.fixture(scope="session")
def small_sandbox() -> Iterator[str]:
    """The address of a sandbox with a handful of users."""
    with running_sandbox(users=4) as url:
        yield url


@pytest.fixture
async def edge(database_url: Secret, small_sandbox: str) -> AsyncIterator[Edge]:
    """The service with two connected users, whose event types are cached."""
    async with open_edge(database_url, small_sandbox) as edge:
        await edge.connect(2)
        for user in ("person-0", "person-1"):
            listed = await edge.get("event-types", user)
            assert listed.status_code == 200, listed.text
        yield edge


async def event_type(edge: Edge, user: str = "person-0") -> str:
    """Return the last segment of an active event type of a user."""
    listed = (await edge.get("event-types", user)).json()
    return str(next(each["uri"] for each in listed["items"] if each["active"]).split("/")[-1])


def span(start: timedelta = DAY, end: timedelta = 8 * DAY) -> dict[str, str]:
    """Return a range, counted from now."""
    return {"start": (NOW + start).isoformat(), "end": (NOW + end).isoformat()}


async def own_query(edge: Edge, path: str) -> dict[str, str]:
    """Return a good query of an operation, with all parameters that it requires."""
    if path == "availability":
        return {"event_type": await event_type(edge), **span()}
    return span() if path == "busy-times" else {}


BAD_RANGES = [
    ("reversed", span(8 * DAY, DAY), "invalid_range"),
    ("empty", span(DAY, DAY), "invalid_range"),
    ("too long", span(DAY, 33 * DAY), "invalid_range"),
    ("in the past", span(-DAY, DAY), "invalid_range"),
    ("beyond the horizon", span(400 * DAY, 401 * DAY), "invalid_range"),
    ("without offset", {**span(), "start": "2030-01-01T00:00:00"}, "invalid_input"),
    ("no time", {**span(), "end": "tomorrow"}, "invalid_input"),
    ("missing", {"start": span()["start"]}, "invalid_input"),
]


@pytest.mark.parametrize("path", ["availability", "busy-times"])
@pytest.mark.parametrize(
    ("wrong", "code"),
    [(wrong, code) for _, wrong, code in BAD_RANGES],
    ids=[each[0] for each in BAD_RANGES],
)
async def test_a_bad_range_fetches_nothing(
    edge: Edge, path: str, wrong: dict[str, str], code: str
) -> None:
    """A range that cannot be read is 400 with a code, and Calendly is not asked."""
    chosen = {"event_type": await event_type(edge)} if path == "availability" else {}
    params = {**chosen, **wrong}
    edge.calls.clear()

    answer = await edge.get(path, params=params)

    problem_in(answer, 400, code)
    assert edge.calls == []


@pytest.mark.parametrize(
    ("path", "wrong", "code"),
    [
        ("availability", {"timezone": "Moon/Crater"}, "invalid_timezone"),
        ("availability", {"max_age": "-1"}, "invalid_input"),
        ("availability", {"event_type": ""}, "invalid_input"),
        ("busy-times", {"max_age": "soon"}, "invalid_input"),
        ("schedules", {"max_age": "1.5"}, "invalid_input"),
        ("event-types", {"max_age": "-0"}, "invalid_input"),
        ("event-types", {"cursor": "not-a-cursor"}, "invalid_cursor"),
        ("event-types", {"limit": "0"}, "invalid_input"),
        ("event-types", {"limit": "101"}, "invalid_input"),
    ],
)
async def test_a_bad_parameter_fetches_nothing(
    edge: Edge, path: str, wrong: dict[str, str], code: str
) -> None:
    """A malformed parameter is 400 with a code, and Calendly is not asked."""
    params = {**await own_query(edge, path), **wrong}
    edge.calls.clear()

    answer = await edge.get(path, params=params)

    problem_in(answer, 400, code)
    assert edge.calls == []


async def test_another_users_event_type_fetches_nothing(edge: Edge) -> None:
    """Another user's event type is 404, as one that does not exist, and Calendly is not asked."""
    foreign = await event_type(edge, "person-1")
    edge.calls.clear()

    answer = await edge.get("availability", params={"event_type": foreign, **span()})

    problem_in(answer, 404, "event_type_not_found")
    assert edge.calls == []


async def test_a_second_read_costs_calendly_nothing(edge: Edge) -> None:
    """A repeated read is served from the cache, to the byte, and is 304 with its ETag."""
    params = {"event_type": await event_type(edge), **span(), "timezone": "America/New_York"}
    for path, wanted in (
        ("event-types", {}),
        ("availability", params),
        ("busy-times", span(DAY, 3 * DAY)),
        ("schedules", {}),
    ):
        first = await edge.get(path, params=wanted)
        edge.calls.clear()
        second = await edge.get(path, params=wanted)
        headers = {**edge.caller("person-0"), "If-None-Match": first.headers["etag"]}
        third = await edge.client.get(f"/api/calendly/{path}", params=wanted, headers=headers)

        assert first.json()["cache"]["freshness"] == "fresh"
        assert (second.status_code, second.content) == (200, first.content)
        assert (third.status_code, third.content) == (304, b"")
        assert edge.calls == []


async def test_a_taken_slot_is_not_offered_again(
    edge: Edge, database_url: Secret, small_sandbox: str
) -> None:
    """After one process has stored a booking, no other process offers that time as free."""
    asked = {"event_type": await event_type(edge), **span()}
    before = (await edge.get("availability", params=asked)).json()
    again = (await edge.get("availability", params=asked)).json()
    taken = before["slots"][0]["start"]

    async with open_edge(database_url, small_sandbox) as other:
        await _book(other, datetime.fromisoformat(taken), before["event_type"]["uri"])
        after = (await edge.get("availability", params=asked)).json()

    assert again == before
    assert taken not in {each["start"] for each in after["slots"]}
    assert after["cache"]["freshness"] == "invalidated"


async def test_any_range_has_the_response_of_the_route(edge: Edge) -> None:
    """Ranges of what was read once are answered without the route, to the byte and the tag."""
    asked = {"event_type": await event_type(edge)}
    await edge.get("availability", params={**asked, **span()})
    edge.calls.clear()

    for number in range(40):
        start = DAY / 24 + Random(number).random() * 29 * DAY  # noqa: S311
        wanted = {**asked, **span(start, start + Random(-number).random() * 2 * DAY)}  # noqa: S311
        with capture_logs() as log:
            joined = await edge.get("availability", params=wanted)
        encoded = await edge.get("availability", params={**wanted, "max_age": "999999999"})
        tag = {**edge.caller("person-0"), "If-None-Match": encoded.headers["etag"]}
        known = await edge.client.get("/api/calendly/availability", params=wanted, headers=tag)

        assert log == []  # at debug level alone: it never came to the route
        assert (joined.status_code, joined.content) == (200, encoded.content)
        assert joined.headers["etag"] == encoded.headers["etag"] == known.headers["etag"]
        assert set(joined.headers) == set(encoded.headers)
        assert known.status_code == 304
    assert edge.calls == []


async def test_invalidated_entries_are_fetched_again(edge: Edge) -> None:
    """After an invalidation the last known is served once, marked, and then the new one, fresh."""
    paths = {"event-types": {}, "schedules": {}, "busy-times": span(DAY, 3 * DAY)}
    for path, asked in paths.items():
        for _ in range(2):
            await edge.get(path, params=asked)
    mine = edge.caller("person-0")
    edge.calls.clear()

    done = await edge.client.post("/api/calendly/availability/invalidate", headers=mine)
    left_alone = list(edge.calls)
    invalidations = [(await edge.get(path, params=asked)).json() for path, asked in paths.items()]

    assert (done.status_code, done.content, left_alone) == (204, b"", [])
    assert {each["cache"]["invalidated_by"] for each in invalidations} == {"operator"}
    assert {each["cache"]["freshness"] for each in invalidations} == {"invalidated"}
    for path, asked in paths.items():
        anew = (await edge.get(path, params={**asked, "max_age": "0"})).json()
        assert anew["cache"]["freshness"] == "fresh"


async def test_a_revoked_key_opens_nothing(edge: Edge) -> None:
    """From the moment in which a key is revoked its holder is refused, whatever was remembered."""
    asked = {"event_type": await event_type(edge), **span()}
    for _ in range(2):
        assert (await edge.get("availability", params=asked)).status_code == 200

    (key,) = await edge.services.manage_api_keys.all()
    await edge.services.manage_api_keys.revoke(key.id)

    problem_in(await edge.get("availability", params=asked), 401, "api_key_invalid")


async def test_concurrent_reads_get_the_same_response(edge: Edge) -> None:
    """A hundred readers at one moment get the same bytes, and Calendly is asked for none of them."""
    asked = {"event_type": await event_type(edge), **span()}
    first = await edge.get("availability", params=asked)
    edge.calls.clear()

    found = await asyncio.gather(*(edge.get("availability", params=asked) for _ in range(100)))

    assert {each.content for each in found} == {first.content}
    assert edge.calls == []


async def _book(edge: Edge, start: datetime, event_type_uri: str) -> None:
    """Store a booking as a webhook does: with its invalidation, in one transaction."""
    user_id = await edge.services.identify_caller.named("person-0")
    async with edge.resources.storage() as uow:
        owner = await uow.integrations.for_user(user_id)
        assert owner is not None
        facts = samples.facts(
            "iris", details=samples.details(start, event_type_uri=event_type_uri)
        )
        await uow.bookings.put([samples.booking(owner, FakeRandomness(), facts)])
        await uow.availability.invalidate([user_id], datetime.now(UTC), by="invitee.created")
        await uow.commit()
