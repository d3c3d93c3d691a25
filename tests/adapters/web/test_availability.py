import pytest

from domain.errors import AvailabilityPending
from tests.adapters.web import story
from tests.adapters.web.serving import CALLER, Client, problem_in
from tests.adapters.web.stand_ins import StandInServices

SLOTS = "/api/calendly/availability"
RANGE = {"start": "2026-12-01T09:00:00Z", "end": "2026-12-08T09:00:00+01:00"}


@pytest.fixture(autouse=True)
async def connected(services: StandInServices) -> None:
    """Ada is connected."""
    user = await services.identify_caller.named("ada")
    services.host.integrations[user] = story.integration()


async def test_event_types_come_with_their_age(client: Client) -> None:
    """Event types say when Calendly was asked, in the body and in Age (RFC 9111)."""
    answer = await client.get("/api/calendly/event-types", headers=CALLER)

    listed = answer.json()
    assert [each["name"] for each in listed["items"]] == ["Intro call"]
    assert listed["cache"]["freshness"] == "fresh"
    assert listed["cache"]["fetched_at"] == "2026-12-01T08:58:25Z"
    assert listed["cache"]["expires_at"] == "2026-12-02T09:00:00Z"
    assert answer.headers["age"] == "95"


@pytest.mark.parametrize("name", ["intro", story.EVENT_TYPE_URI])
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


async def test_what_is_being_fetched_says_when_to_ask_again(
    client: Client, services: StandInServices
) -> None:
    """Before the first fetch is done the answer is 503 with a short wait."""
    services.fail_next("read_event_types", AvailabilityPending("Not yet.", retry_after=5))

    answer = await client.get("/api/calendly/event-types", headers=CALLER)

    problem_in(answer, 503, "availability_pending")
    assert answer.headers["retry-after"] == "5"
