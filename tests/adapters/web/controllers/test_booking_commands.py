from typing import Any
from uuid import UUID

import pytest

from domain.booking import BookingStatus
from domain.errors import CalendlyUncertain, InvalidTimezone, SlotTaken
from tests.adapters.web import scenario
from tests.adapters.web.fakes import StandInServices
from tests.adapters.web.serving import CALLER, Client, problem_in

BOOKINGS = "/api/calendly/bookings"
ACTING = {**CALLER, "Idempotency-Key": "k-1"}
BODY: dict[str, Any] = {
    "event_type": "intro",
    "start": "2026-12-03T15:30:00+01:00",
    "invitee": {
        "name": "Grace Sample",
        "email": "grace@example.com",
        "timezone": "Europe/Paris",
    },
    "answers": [{"question": "What?", "answer": "Compilers\nand more"}],
}


@pytest.fixture
async def booked(services: StandInServices) -> str:
    """The path of a booking of Ada's."""
    user = await services.identify_caller.named("ada")
    return f"{BOOKINGS}/{services.bookings.add(scenario.booking(1, user)).booking.id}"


async def test_booking_twice_under_one_key_books_once(
    client: Client, services: StandInServices
) -> None:
    """The first request books with 201; its repetition answers 200 with the same booking."""
    first = await client.post(BOOKINGS, headers=ACTING, json=BODY)
    second = await client.post(BOOKINGS, headers=ACTING, json=BODY)

    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()
    assert services.bookings.acted == ["book"]


async def test_what_was_asked_reaches_the_use_case(
    client: Client, services: StandInServices
) -> None:
    """Every part of the request is passed on."""
    body = {**BODY, "location": {"kind": "ask_invitee", "text": "Café"}, "guests": ["a@b.example"]}

    await client.post(BOOKINGS, headers=ACTING, json=body)

    wanted = services.bookings.wanted
    assert wanted is not None
    assert (wanted.event_type, wanted.start.isoformat()) == ("intro", BODY["start"])
    assert (wanted.name, wanted.email) == ("Grace Sample", "grace@example.com")
    assert (wanted.location_kind, wanted.location) == ("ask_invitee", "Café")
    assert [each.answer for each in wanted.answers] == ["Compilers\nand more"]
    assert wanted.guests == ("a@b.example",)


async def test_a_key_is_for_one_request(client: Client) -> None:
    """The same key with another request is a conflict."""
    await client.post(BOOKINGS, headers=ACTING, json=BODY)

    other = await client.post(BOOKINGS, headers=ACTING, json={**BODY, "event_type": "other"})

    problem_in(other, 409, "idempotency_key_reused")


@pytest.mark.parametrize(
    ("method", "action"),
    [("POST", ""), ("POST", "/cancel"), ("POST", "/no-show"), ("DELETE", "/no-show")],
)
async def test_every_act_needs_a_key(
    client: Client, services: StandInServices, booked: str, method: str, action: str
) -> None:
    """An acting request without Idempotency-Key is 400 with a code of its own; nothing acts."""
    path = f"{booked}{action}" if action else BOOKINGS

    answer = await client.request(method, path, headers=CALLER, json={} if action else BODY)

    problem_in(answer, 400, "idempotency_key_missing")
    assert services.bookings.acted == []


@pytest.mark.parametrize("key", ["a b", "k" * 256, "\x7f", "clé".encode("latin-1")])
async def test_a_key_of_another_form_is_refused(client: Client, key: str | bytes) -> None:
    """A key is 1 to 255 visible ASCII characters."""
    headers = {**{k: v.encode() for k, v in CALLER.items()}, "Idempotency-Key": key}

    answer = await client.post(BOOKINGS, headers=headers, json=BODY)  # type: ignore[arg-type]

    problem_in(answer, 400, "invalid_input")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"start": "2026-12-03T15:30:00"}, "start"),
        ({"start": "soon"}, "start"),
        ({"event_type": ""}, "event_type"),
        ({"invitee": {**BODY["invitee"], "email": "nobody"}}, "invitee.email"),
        ({"invitee": {**BODY["invitee"], "name": "a\x00b"}}, "invitee.name"),
        ({"invitee": {"name": "Grace"}}, "invitee"),
        ({"answers": [{"question": "What?", "answer": "a\x00"}]}, "answers"),
        ({"guests": ["nobody"]}, "guests"),
        ({"surprise": 1}, "body"),
        ({"invitee": None}, "invitee"),
    ],
)
async def test_a_faulty_body_is_refused(
    client: Client, services: StandInServices, change: dict[str, Any], field: str
) -> None:
    """A body that breaks a rule is 400 and books nothing."""
    answer = await client.post(BOOKINGS, headers=ACTING, json={**BODY, **change})

    problem = problem_in(answer, 400, "invalid_input")
    assert field in problem["errors"][0]["field"]
    assert problem["errors"][0]["location"] == "body"
    assert services.bookings.acted == []


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (SlotTaken("Somebody was faster."), 409, "slot_taken"),
        (InvalidTimezone("Unknown."), 400, "invalid_timezone"),
        (CalendlyUncertain("No answer; repeat under the same key."), 504, "calendly_uncertain"),
    ],
)
async def test_each_failure_at_calendly_has_its_code(
    client: Client, services: StandInServices, error: Exception, status: int, code: str
) -> None:
    """Each way in which booking fails has its status and code."""
    services.fail_next("book_for_invitee", error)

    answer = await client.post(BOOKINGS, headers=ACTING, json=BODY)

    problem_in(answer, status, code)


async def test_canceling_twice_under_one_key_acts_once(
    client: Client, services: StandInServices, booked: str
) -> None:
    """Canceling is safe to repeat, with and without a reason."""
    first = await client.post(f"{booked}/cancel", headers=ACTING, json={"reason": "Ill."})
    second = await client.post(f"{booked}/cancel", headers=ACTING, json={"reason": "Ill."})

    assert (first.status_code, second.status_code) == (200, 200)
    assert first.json()["status"] == BookingStatus.CANCELED
    assert services.bookings.acted == ["cancel"]


async def test_canceling_needs_no_body(client: Client, booked: str) -> None:
    """A reason may be left out, and the whole body with it."""
    answer = await client.post(f"{booked}/cancel", headers=ACTING)

    assert answer.status_code == 200


async def test_a_no_show_is_marked_and_taken_back(client: Client, booked: str) -> None:
    """POST marks the invitee as a no-show, DELETE takes the mark back."""
    marked = await client.post(f"{booked}/no-show", headers=ACTING)
    cleared = await client.delete(f"{booked}/no-show", headers={**CALLER, "Idempotency-Key": "2"})

    assert marked.json()["no_show"] is True
    assert cleared.json()["no_show"] is False


async def test_acting_hands_out_no_links(client: Client, booked: str) -> None:
    """The answer to an act does not contain links that act without a login."""
    answer = await client.post(f"{booked}/no-show", headers=ACTING)

    assert UUID(answer.json()["id"]) == UUID(int=1)
    assert "s3cret" not in answer.text
