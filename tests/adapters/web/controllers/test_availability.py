from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from adapters.web.params.cursor import encode
from domain.availability import Slot
from domain.errors import AvailabilityPending
from domain.ids import BookingId
from tests.adapters.web import scenario
from tests.adapters.web.fakes import StandInServices
from tests.adapters.web.serving import CALLER, Client, problem_in

SLOTS = "/api/calendly/availability"
TYPES = "/api/calendly/event-types"
BUSY = "/api/calendly/busy-times"
SCHEDULES = "/api/calendly/schedules"
RANGE = {"start": "2026-12-01T09:00:00Z", "end": "2026-12-08T09:00:00+01:00"}
INTRO = {**RANGE, "event_type": "intro"}


@pytest.fixture(autouse=True)
async def connected(services: StandInServices) -> None:
    """Ada is connected."""
    user = await services.identify_caller.named("ada")
    services.host.integrations[user] = scenario.integration()


async def test_event_types_come_with_their_age(client: Client) -> None:
    """Event types say when Calendly was asked, in the body and in Age (RFC 9111)."""
    answer = await client.get(TYPES, headers=CALLER)

    listed = answer.json()
    assert [each["name"] for each in listed["items"]] == ["Intro call"]
    assert listed["cache"] == {
        "fetched_at": "2026-12-01T08:58:25Z",
        "freshness": "fresh",
        "stale_at": "2026-12-01T10:00:00Z",
        "expires_at": "2026-12-02T09:00:00Z",
        "invalidated_by": None,
        "error_code": None,
        "skipped": 0,
    }
    assert answer.headers["age"] == "95"


async def test_event_types_are_paged(client: Client, services: StandInServices) -> None:
    """Pages follow each other by name, whatever comes or goes between them."""
    names = ("Ärger", "alpha", "Beta", "beta", "gamma")
    services.host.event_types = tuple(
        scenario.event_type(name, f"https://x/{number}") for number, name in enumerate(names)
    )
    first = await client.get(TYPES, headers=CALLER, params={"limit": 2})
    last, _gone, *others = services.host.event_types
    services.host.event_types = (last, scenario.event_type("aaa", "https://x/9"), *others)
    position = {"limit": 2, "cursor": first.json()["next_cursor"]}

    second = await client.get(TYPES, headers=CALLER, params=position)
    position["cursor"] = second.json()["next_cursor"]
    third = await client.get(TYPES, headers=CALLER, params=position)

    assert [each["name"] for each in first.json()["items"]] == ["alpha", "Beta"]
    assert [each["name"] for each in second.json()["items"]] == ["beta", "gamma"]
    assert [each["name"] for each in third.json()["items"]] == ["Ärger"]
    assert third.json()["next_cursor"] is None


@pytest.mark.parametrize(
    "cursor", ["", "x", encode((scenario.NOW, BookingId(UUID(int=1)))), "W10"]
)
async def test_a_cursor_of_another_list_is_refused(
    client: Client, services: StandInServices, cursor: str
) -> None:
    """A cursor that this list never handed out is 400 with a code, and nothing is read."""
    answer = await client.get(TYPES, headers=CALLER, params={"cursor": cursor})

    problem_in(answer, 400, "invalid_cursor")
    assert services.cache.asked == []


@pytest.mark.parametrize("name", ["intro", scenario.EVENT_TYPE_URI])
async def test_open_slots_are_listed(client: Client, name: str) -> None:
    """Slots are found by the event type's URI and by the last segment of it."""
    answer = await client.get(SLOTS, headers=CALLER, params={**RANGE, "event_type": name})

    found = answer.json()
    assert [each["start"] for each in found["slots"]] == [
        "2026-12-01T14:00:00Z",
        "2026-12-02T15:00:00Z",
    ]
    assert found["event_type"]["duration"] == 30
    assert answer.headers["age"] == "95"


async def test_an_unknown_event_type_is_not_found(client: Client) -> None:
    """An event type that is not the user's is 404 with a code of its own."""
    answer = await client.get(SLOTS, headers=CALLER, params={**RANGE, "event_type": "other"})

    problem_in(answer, 404, "event_type_not_found")


@pytest.mark.parametrize(
    "start",
    ["tomorrow", "2026-12-01", "2026-12-01T09:00:00", "2026-13-01T09:00:00Z", "1764777600", ""],
)
async def test_a_bad_date_is_refused(client: Client, start: str) -> None:
    """A time that is not RFC 3339 with an offset is 400 and names the parameter."""
    params = {**RANGE, "start": start, "event_type": "intro"}

    answer = await client.get(SLOTS, headers=CALLER, params=params)

    problem = problem_in(answer, 400, "invalid_input")
    assert [each["field"] for each in problem["errors"]] == ["start"]


async def test_a_pending_response_has_retry_after(
    client: Client, services: StandInServices
) -> None:
    """Before the first fetch is done the answer is 503 with a short wait."""
    services.fail_next("read_event_types", AvailabilityPending("Not yet.", retry_after=5))

    answer = await client.get(TYPES, headers=CALLER)

    problem_in(answer, 503, "availability_pending")
    assert answer.headers["retry-after"] == "5"


async def test_busy_times_are_listed(client: Client) -> None:
    """Busy times have their kind, the range and their age."""
    answer = await client.get(BUSY, headers=CALLER, params=RANGE)

    found = answer.json()
    assert found["items"] == [
        {
            "kind": "external",
            "start": "2026-12-01T15:00:00Z",
            "end": "2026-12-01T16:00:00Z",
        }
    ]
    assert found["end"] == found["covered_until"] == "2026-12-08T08:00:00Z"
    assert answer.headers["age"] == "95"


async def test_schedules_are_listed(client: Client) -> None:
    """Weekly hours come with their timezone and their age."""
    answer = await client.get(SCHEDULES, headers=CALLER)

    (found,) = answer.json()["items"]
    assert found["timezone"] == "Europe/Berlin"
    assert found["rules"] == [
        {"kind": "wday", "day": "monday", "intervals": [{"start": "09:00", "end": "17:00"}]}
    ]
    assert answer.headers["age"] == "95"


async def test_slots_are_grouped_by_local_day(client: Client, services: StandInServices) -> None:
    """With a timezone the slots come by its days too, each with its local offset."""
    first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    hours = (timedelta(0), timedelta(hours=1), timedelta(hours=22, minutes=45))
    services.cache.slots = tuple(Slot(first + each, 1, "https://s") for each in hours)

    answer = await client.get(SLOTS, headers=CALLER, params={**INTRO, "timezone": "Europe/Berlin"})

    found = answer.json()
    assert found["timezone"] == "Europe/Berlin"
    assert [
        (day["date"], [(each["start"], each["local"]) for each in day["slots"]])
        for day in found["days"]
    ] == [
        (
            "2026-10-25",
            [
                ("2026-10-25T00:30:00Z", "2026-10-25T02:30:00+02:00"),
                ("2026-10-25T01:30:00Z", "2026-10-25T02:30:00+01:00"),
            ],
        ),
        ("2026-10-26", [("2026-10-25T23:15:00Z", "2026-10-26T00:15:00+01:00")]),
    ]
    assert [each["start"] for each in found["slots"]] == [
        each["start"] for day in found["days"] for each in day["slots"]
    ]


async def test_without_a_timezone_there_are_no_days(client: Client) -> None:
    """No timezone is guessed."""
    found = (await client.get(SLOTS, headers=CALLER, params=INTRO)).json()

    assert (found["timezone"], found["days"]) == (None, None)


@pytest.mark.parametrize(
    "timezone",
    [
        "",
        "Moon/Crater",
        "europe",
        "../../etc/passwd",
        "/etc/localtime",
        "right/Europe/Berlin",
        "posix/UTC",
        "localtime",
        "Europe/Berlin ",
        "x" * 4_000,
        "+02:00",
    ],
)
async def test_an_unknown_timezone_is_refused(
    client: Client, services: StandInServices, timezone: str
) -> None:
    """An unknown timezone is 400 with its own code, and nothing is read."""
    answer = await client.get(SLOTS, headers=CALLER, params={**INTRO, "timezone": timezone})

    problem = problem_in(answer, 400, "invalid_timezone")
    assert services.cache.asked == []
    assert "etc" not in problem["detail"]


@pytest.mark.parametrize(
    ("path", "params"), [(TYPES, {}), (SLOTS, INTRO), (BUSY, RANGE), (SCHEDULES, {})]
)
async def test_a_reader_can_insist_on_fresher(
    client: Client, services: StandInServices, path: str, params: dict[str, str]
) -> None:
    """`max_age` is handed on in whole seconds, zero included."""
    for max_age in ("0", "90"):
        await client.get(path, headers=CALLER, params={**params, "max_age": max_age})

    assert [each[-1] for each in services.cache.asked] == [
        timedelta(0),
        timedelta(seconds=90),
    ]


@pytest.mark.parametrize(
    ("path", "query"), [(TYPES, {}), (SLOTS, INTRO), (BUSY, RANGE), (SCHEDULES, {})]
)
@pytest.mark.parametrize(
    "max_age", ["-1", "1.5", "5.0", "1e2", "+5", " 5", "", "abc", "\u0665", "1" * 10, "null"]
)
async def test_a_malformed_age_is_refused(
    client: Client, services: StandInServices, path: str, query: dict[str, str], max_age: str
) -> None:
    """A `max_age` that is not a whole number of seconds is 400, is named, and nothing is read."""
    answer = await client.get(path, headers=CALLER, params={**query, "max_age": max_age})

    problem = problem_in(answer, 400, "invalid_input")
    assert [each["field"] for each in problem["errors"]] == ["max_age"]
    assert services.cache.asked == []
