from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from application.ports.storage.webhook_events import NewEvent, WebhookEvent
from domain.ids import WebhookEventId
from tests.adapters.web.fakes import KEY_ID, StandInServices
from tests.adapters.web.scenario import API_KEY
from tests.adapters.web.serving import CALLER, Client, problem_in
from tests.fakes.calendly import bodies
from tests.fakes.clock import NOON

PATH = "/api/webhook-events"
OPERATOR = {"Authorization": f"Bearer {API_KEY}"}
UNKNOWN = UUID(int=7)
CALLS = [
    ("GET", PATH, None),
    ("GET", f"{PATH}/{UNKNOWN}", None),
    ("POST", f"{PATH}/{UNKNOWN}/replay", None),
    ("POST", f"{PATH}/replay-dead-letters", None),
    ("POST", "/api/invitees/erase", {"email": "grace@example.com"}),
]


async def store(services: StandInServices, number: int, *, reason: str | None = None) -> str:
    """Store an event, dead-lettered when it has a reason; return its id."""
    event = WebhookEvent(
        id=WebhookEventId(UUID(int=number)),
        dedupe_key=f"key-{number}",
        kind="invitee.created",
        body=bodies.webhook("invitee.created", bodies.payload()),
        received_at=NOON + timedelta(seconds=number),
        occurred_at=NOON,
    )
    async with services.kept() as uow:
        await uow.webhook_events.store([NewEvent(event)])
        if reason is not None:
            await uow.webhook_events.failed(event.id, reason, None)
        await uow.commit()
    return str(event.id)


@pytest.mark.parametrize(("method", "path", "body"), CALLS)
async def test_an_operator_needs_a_key(
    client: Client, method: str, path: str, body: object
) -> None:
    """Without a live API key nothing of stored webhooks or erasures is reached."""
    for headers in ({}, {"Authorization": "Bearer wrong"}):
        answer = await client.request(method, path, json=body, headers=headers)

        problem_in(answer, 401, "api_key_invalid")


@pytest.mark.parametrize(("method", "path", "body"), CALLS)
async def test_a_call_for_a_user_is_refused(
    client: Client, services: StandInServices, method: str, path: str, body: object
) -> None:
    """A call that names a user never sees what is stored for all of them."""
    await store(services, 7, reason="unexpected")

    answer = await client.request(method, path, json=body, headers=CALLER)

    problem_in(answer, 400, "invalid_input")
    assert services.kept.state.erasures == {}
    assert services.kept.state.replays == {}


async def test_pages_follow_each_other(client: Client, services: StandInServices) -> None:
    """Every stored webhook is on one page, the latest first."""
    stored = [await store(services, number) for number in range(1, 6)]

    seen: list[str] = []
    query: dict[str, Any] = {"limit": 2}
    while True:
        page = (await client.get(PATH, params=query, headers=OPERATOR)).json()
        seen += [each["id"] for each in page["items"]]
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]

    assert seen == stored[::-1]


async def test_a_list_can_be_narrowed(client: Client, services: StandInServices) -> None:
    """Status and reason each leave out the others; no list shows a body."""
    await store(services, 1)
    await store(services, 2, reason="webhook_malformed")
    dead = await store(services, 3, reason="unexpected")

    answer = await client.get(
        PATH, params={"status": "dead_lettered", "reason": "unexpected"}, headers=OPERATOR
    )

    assert [each["id"] for each in answer.json()["items"]] == [dead]
    assert "example.com" not in answer.text


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"cursor": "nonsense"}, "invalid_cursor"),
        ({"limit": 0}, "invalid_input"),
        ({"limit": 101}, "invalid_input"),
        ({"status": "lost"}, "invalid_input"),
    ],
)
async def test_a_wrong_query_is_refused(client: Client, query: dict[str, Any], code: str) -> None:
    """A query that cannot be listed is a clear error."""
    problem_in(await client.get(PATH, params=query, headers=OPERATOR), 400, code)


async def test_the_body_only_when_asked(client: Client, services: StandInServices) -> None:
    """One webhook is shown without its body, and with it only on request, without its links."""
    event_id = await store(services, 1)

    plain = await client.get(f"{PATH}/{event_id}", headers=OPERATOR)
    full = await client.get(f"{PATH}/{event_id}?with_body=true", headers=OPERATOR)

    assert plain.json()["body"] is None
    payload = full.json()["body"]["payload"]
    assert payload["email"] == bodies.payload()["email"]
    assert payload["cancel_url"] == payload["reschedule_url"] == "[removed]"
    assert {key: each for key, each in full.json().items() if key != "body"} == {
        key: each for key, each in plain.json().items() if key != "body"
    }


async def test_what_is_not_there(client: Client) -> None:
    """An id that names nothing is 404."""
    for method, path in (("GET", f"{PATH}/{UNKNOWN}"), ("POST", f"{PATH}/{UNKNOWN}/replay")):
        answer = await client.request(method, path, headers=OPERATOR)

        problem_in(answer, 404, "webhook_event_not_found")


async def test_a_replay_is_recorded(client: Client, services: StandInServices) -> None:
    """A webhook that is put back is pending, says by which key and how often, and starts the job."""
    event_id = await store(services, 1, reason="unexpected")

    await client.post(f"{PATH}/{event_id}/replay", headers=OPERATOR)
    answer = await client.post(f"{PATH}/{event_id}/replay", headers=OPERATOR)

    assert answer.status_code == 202
    body = answer.json()
    assert (body["status"], body["attempts"], body["replays"]) == ("pending", 0, 2)
    assert body["replayed_by"] == f"key:{KEY_ID}"
    assert API_KEY not in answer.text
    assert services.jobs.started == ["apply-calendly-webhooks"]


async def test_dead_letters_are_put_back_together(
    client: Client, services: StandInServices
) -> None:
    """All dead letters with a reason go back in one call, and the others stay."""
    await store(services, 1)
    await store(services, 2, reason="unexpected")
    await store(services, 3, reason="webhook_malformed")

    first = await client.post(f"{PATH}/replay-dead-letters?reason=unexpected", headers=OPERATOR)
    rest = await client.post(f"{PATH}/replay-dead-letters", headers=OPERATOR)
    none = await client.post(f"{PATH}/replay-dead-letters", headers=OPERATOR)

    assert [each.json()["replayed"] for each in (first, rest, none)] == [1, 1, 0]


async def test_an_invitee_is_erased(client: Client, services: StandInServices) -> None:
    """Erasing answers with counts, and nothing of the person is in the stored webhooks any more."""
    await store(services, 1)
    email = bodies.payload()["email"]

    answer = await client.post(
        "/api/invitees/erase", json={"email": email.upper()}, headers=OPERATOR
    )

    assert answer.status_code == 200
    assert (answer.json()["webhook_events"], answer.json()["bookings"]) == (1, 0)
    assert email not in answer.text
    (row,) = services.kept.state.webhook_events.values()
    assert email.encode() not in row.event.body


@pytest.mark.parametrize("body", [{}, {"email": "nobody"}, {"email": "a@b.c", "x": 1}])
async def test_the_address_to_erase_is_checked(
    client: Client, services: StandInServices, body: dict[str, Any]
) -> None:
    """A value that is not an address erases no data."""
    answer = await client.post("/api/invitees/erase", json=body, headers=OPERATOR)

    problem_in(answer, 400, "invalid_input")
    assert services.kept.state.erasures == {}
