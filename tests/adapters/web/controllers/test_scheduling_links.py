from typing import Any

import pytest

from domain.errors import CalendlyUncertain, ScopeMissing
from tests.adapters.web import scenario
from tests.adapters.web.fakes import StandInServices
from tests.adapters.web.serving import CALLER, Client, problem_in

LINKS = "/api/calendly/scheduling-links"


@pytest.fixture(autouse=True)
async def connected(services: StandInServices) -> None:
    """Ada is connected."""
    user = await services.identify_caller.named("ada")
    services.host.integrations[user] = scenario.integration()


@pytest.mark.parametrize("name", ["intro", scenario.EVENT_TYPE_URI])
async def test_a_link_is_made(client: Client, name: str) -> None:
    """A link is 201, by the event type's URI or the last segment of it, without any key."""
    answer = await client.post(LINKS, headers=CALLER, json={"event_type": name})

    assert answer.status_code == 201
    assert answer.json() == {
        "booking_url": "https://calendly.com/d/link-1/intro",
        "event_type": scenario.EVENT_TYPE_URI,
    }


async def test_each_call_makes_another_link(client: Client) -> None:
    """A link is good once, so two calls give two."""
    made = [
        (await client.post(LINKS, headers=CALLER, json={"event_type": "intro"})).json()
        for _ in range(2)
    ]

    assert made[0]["booking_url"] != made[1]["booking_url"]


async def test_an_unknown_event_type_is_not_found(
    client: Client, services: StandInServices
) -> None:
    """An event type of another user is 404 with a code of its own, and nothing is made."""
    answer = await client.post(LINKS, headers=CALLER, json={"event_type": "other"})

    problem_in(answer, 404, "event_type_not_found")
    assert services.links.made == 0


async def test_a_user_without_an_account_has_no_links(client: Client) -> None:
    """A user who never connected has no links."""
    other = {**CALLER, "X-User-Id": "bob"}

    answer = await client.post(LINKS, headers=other, json={"event_type": "intro"})

    problem_in(answer, 404, "integration_not_found")


@pytest.mark.parametrize(
    "body", [{}, {"event_type": ""}, {"event_type": "a\nb"}, {"event_type": 1}, [], {"x": "intro"}]
)
async def test_a_bad_body_is_refused(client: Client, services: StandInServices, body: Any) -> None:
    """A body without a sound event type is 400, and nothing is made."""
    answer = await client.post(LINKS, headers=CALLER, json=body)

    problem_in(answer, 400, "invalid_input")
    assert services.links.made == 0


async def test_a_missing_permission_is_named(client: Client, services: StandInServices) -> None:
    """A grant without the scope is 403 and says which scope it is."""
    lacking = ("scheduling_links:write",)
    services.fail_next("create_scheduling_link", ScopeMissing("Not granted.", required=lacking))

    answer = await client.post(LINKS, headers=CALLER, json={"event_type": "intro"})

    problem = problem_in(answer, 403, "scope_missing")
    assert problem["required_scopes"] == ["scheduling_links:write"]


async def test_a_lost_answer_may_be_asked_for_again(
    client: Client, services: StandInServices
) -> None:
    """An answer that got lost is 504, and the next call simply makes a link."""
    services.fail_next("create_scheduling_link", CalendlyUncertain("No answer came."))

    lost = await client.post(LINKS, headers=CALLER, json={"event_type": "intro"})
    again = await client.post(LINKS, headers=CALLER, json={"event_type": "intro"})

    problem_in(lost, 504, "calendly_uncertain")
    assert again.status_code == 201


async def test_a_caller_without_a_key_makes_no_links(client: Client) -> None:
    """Without an API key nothing of the request is looked at."""
    answer = await client.post(LINKS, json={"event_type": "intro"})

    problem_in(answer, 401, "api_key_invalid")
