from datetime import UTC, datetime
from urllib.parse import urlsplit

import httpx
import msgspec
import pytest

from adapters.calendly.bookings import CalendlyBookingsGateway
from application.ports.calendly.bookings import Answer, BookingRequest
from domain.booking import NoShow
from domain.errors import (
    CalendlyConflict,
    CalendlyForbidden,
    CalendlyNotFound,
    CalendlyRejected,
    CalendlyThrottled,
    CalendlyUncertain,
    SlotTaken,
)
from tests.adapters.calendly.support import (
    ACCESS,
    Wire,
    answer,
    refusal,
    resource,
    sent_json,
)
from tests.fakes.calendly import bodies

REQUEST = BookingRequest(
    event_type_uri=bodies.EVENT_TYPE,
    start=bodies.START,
    name="Grace Invitee",
    email="grace@example.net",
    timezone="Europe/Zurich",
    reference="slotkeeper:abc",
)
MARKED_AT = datetime(2026, 12, 2, 21, 0, tzinfo=UTC)
MARK = {"uri": bodies.NO_SHOW, "created_at": bodies.stamp(MARKED_AT)}


async def test_a_booking_sends_what_calendly_requires() -> None:
    """A plain booking names type, start, invitee and all six tracking keys, nothing else."""
    wire = Wire(resource(bodies.invitee(), 201))

    uri = await CalendlyBookingsGateway(wire.api).book(ACCESS, REQUEST)

    assert uri == bodies.INVITEE
    assert (wire.request.method, wire.request.url.path) == ("POST", "/invitees")
    assert sent_json(wire.request) == {
        "event_type": bodies.EVENT_TYPE,
        "start_time": "2026-12-02T20:00:00Z",
        "invitee": {
            "name": "Grace Invitee",
            "email": "grace@example.net",
            "timezone": "Europe/Zurich",
        },
        "tracking": {
            "utm_campaign": None,
            "utm_source": None,
            "utm_medium": None,
            "utm_content": "slotkeeper:abc",
            "utm_term": None,
            "salesforce_uuid": None,
        },
    }


async def test_a_booking_sends_location_answers_and_guests_when_given() -> None:
    """The caller's location, answers and guests are passed on in Calendly's form."""
    wire = Wire(resource(bodies.invitee(), 201))
    request = msgspec.structs.replace(
        REQUEST,
        location_kind="physical",
        location="12 Harbour Street",
        answers=(Answer(question="Company", answer="Acme", position=1),),
        guests=("guest@example.net",),
    )

    await CalendlyBookingsGateway(wire.api).book(ACCESS, request)

    body = sent_json(wire.request)
    assert body["location"] == {"kind": "physical", "location": "12 Harbour Street"}
    assert body["questions_and_answers"] == [
        {"question": "Company", "answer": "Acme", "position": 1}
    ]
    assert body["event_guests"] == ["guest@example.net"]


async def test_a_location_without_text_is_its_kind_alone() -> None:
    """A conference is asked for by kind."""
    wire = Wire(resource(bodies.invitee(), 201))
    request = msgspec.structs.replace(REQUEST, location_kind="google_conference")

    await CalendlyBookingsGateway(wire.api).book(ACCESS, request)

    assert sent_json(wire.request)["location"] == {"kind": "google_conference"}


@pytest.mark.parametrize("status", [400, 404, 409])
async def test_a_slot_that_was_filled_is_taken(status: int) -> None:
    """`already_filled` means a taken slot, regardless of the status it comes with."""
    details = [{"parameter": "start_time", "message": "gone", "code": "already_filled"}]
    wire = Wire(refusal(status, "Invalid Argument", details=details))

    with pytest.raises(SlotTaken):
        await CalendlyBookingsGateway(wire.api).book(ACCESS, REQUEST)


@pytest.mark.parametrize(
    "looked_up", [resource(bodies.event_type()), answer(503), answer(200, b"<html>")]
)
async def test_a_slot_that_is_not_found_is_taken(looked_up: httpx.Response) -> None:
    """A 404 that is not known to be the event type's is the slot's."""
    wire = Wire(refusal(404, "Resource Not Found"), looked_up)

    with pytest.raises(SlotTaken):
        await CalendlyBookingsGateway(wire.api).book(ACCESS, REQUEST)

    assert [each.method for each in wire.requests] == ["POST", "GET"]
    assert wire.requests[1].url.path == urlsplit(bodies.EVENT_TYPE).path


@pytest.mark.parametrize(
    "looked_up",
    [
        refusal(404, "Resource Not Found"),
        resource(bodies.event_type(active=False)),
        resource(bodies.event_type(deleted_at=bodies.stamp(bodies.START))),
    ],
)
async def test_an_event_type_that_is_gone_is_not_a_taken_slot(looked_up: httpx.Response) -> None:
    """A 404 for an event type that is gone is reported as such."""
    wire = Wire(refusal(404, "Resource Not Found"), looked_up)

    with pytest.raises(CalendlyNotFound, match="event type is no longer offered"):
        await CalendlyBookingsGateway(wire.api).book(ACCESS, REQUEST)


@pytest.mark.parametrize("body", [b"", b'{"resource": {"uri": "https://api.ca', {"resource": {}}])
async def test_a_booking_whose_answer_cannot_be_read_may_exist(body: object) -> None:
    """An unreadable success is uncertain, so that the caller does not simply book again."""
    wire = Wire(answer(201, body))

    with pytest.raises(CalendlyUncertain):
        await CalendlyBookingsGateway(wire.api).book(ACCESS, REQUEST)

    assert len(wire.requests) == 1


async def test_a_throttled_booking_pauses_bookings_but_not_reads() -> None:
    """Booking has limits of its own: reads of the same user go on."""
    wire = Wire(
        answer(429, x_ratelimit_remaining="0", x_ratelimit_limit="10", x_ratelimit_reset="60"),
        resource(bodies.invitee()),
        resource(bodies.event()),
    )
    gateway = CalendlyBookingsGateway(wire.api)

    with pytest.raises(CalendlyThrottled):
        await gateway.book(ACCESS, REQUEST)
    with pytest.raises(CalendlyThrottled):
        await gateway.book(ACCESS, REQUEST)
    facts = await gateway.invitee(ACCESS, bodies.INVITEE)

    assert facts.invitee_uri == bodies.INVITEE
    assert len(wire.requests) == 3


@pytest.mark.parametrize(("reason", "body"), [("Ill", {"reason": "Ill"}), (None, {}), ("", {})])
async def test_an_event_is_canceled_with_its_reason(
    reason: str | None, body: dict[str, str]
) -> None:
    """The reason is sent only when there is one."""
    wire = Wire(resource(bodies.cancellation(canceler_type="host"), 201))

    await CalendlyBookingsGateway(wire.api).cancel(ACCESS, bodies.EVENT, reason)

    assert wire.request.method == "POST"
    assert wire.request.url.path == "/scheduled_events/EVENT0001/cancellation"
    assert sent_json(wire.request) == body


@pytest.mark.parametrize("message", ["Event is already canceled", "Event is already canceled."])
async def test_a_canceled_event_counts_as_canceled(message: str) -> None:
    """Canceling twice is not an error."""
    wire = Wire(refusal(403, "Permission Denied", message))

    await CalendlyBookingsGateway(wire.api).cancel(ACCESS, bodies.EVENT, None)

    assert len(wire.requests) == 1


async def test_an_event_in_the_past_is_not_canceled() -> None:
    """Other refusals of a cancellation stay refusals."""
    wire = Wire(refusal(403, "Permission Denied", "Event in the past"))

    with pytest.raises(CalendlyForbidden):
        await CalendlyBookingsGateway(wire.api).cancel(ACCESS, bodies.EVENT, "Ill")

    assert len(wire.requests) == 1


async def test_a_refused_reason_does_not_keep_the_event_alive() -> None:
    """Where Calendly refuses the reason, the event is canceled without it."""
    wire = Wire(refusal(400, "Invalid Argument"), resource(bodies.cancellation(), 201))

    await CalendlyBookingsGateway(wire.api).cancel(ACCESS, bodies.EVENT, "Ill")

    assert [sent_json(each) for each in wire.requests] == [{"reason": "Ill"}, {}]


async def test_a_refused_cancellation_without_a_reason_is_an_error() -> None:
    """There is nothing left to leave out."""
    wire = Wire(refusal(400, "Invalid Argument"))

    with pytest.raises(CalendlyRejected):
        await CalendlyBookingsGateway(wire.api).cancel(ACCESS, bodies.EVENT, None)


async def test_a_no_show_is_marked() -> None:
    """Marking returns the mark and its time."""
    wire = Wire(resource(MARK | {"invitee": bodies.INVITEE}, 201))

    mark = await CalendlyBookingsGateway(wire.api).mark_no_show(ACCESS, bodies.INVITEE)

    assert mark == NoShow(at=MARKED_AT, uri=bodies.NO_SHOW)
    assert (wire.request.method, wire.request.url.path) == ("POST", "/invitee_no_shows")
    assert sent_json(wire.request) == {"invitee": bodies.INVITEE}


@pytest.mark.parametrize("status", [400, 403, 409])
async def test_a_mark_that_is_set_is_kept(status: int) -> None:
    """If Calendly refuses a second mark, with any status, the first one is found."""
    wire = Wire(refusal(status, "Already Exists"), resource(bodies.invitee(no_show=MARK)))

    mark = await CalendlyBookingsGateway(wire.api).mark_no_show(ACCESS, bodies.INVITEE)

    assert mark == NoShow(at=MARKED_AT, uri=bodies.NO_SHOW)
    assert wire.requests[1].url.path == "/scheduled_events/EVENT0001/invitees/INVITEE0001"


async def test_a_refusal_to_mark_stays_one_when_no_mark_is_set() -> None:
    """Without a mark to find, the refusal is the answer."""
    wire = Wire(refusal(409, "Already Exists"), resource(bodies.invitee()))

    with pytest.raises(CalendlyConflict):
        await CalendlyBookingsGateway(wire.api).mark_no_show(ACCESS, bodies.INVITEE)


async def test_a_mark_without_a_time_may_have_been_set() -> None:
    """An answer without a time cannot be used, but the mark may be set."""
    wire = Wire(resource({"uri": bodies.NO_SHOW}, 201))

    with pytest.raises(CalendlyUncertain):
        await CalendlyBookingsGateway(wire.api).mark_no_show(ACCESS, bodies.INVITEE)


async def test_a_cleared_mark_may_be_cleared_again() -> None:
    """204 and 404 both mean that the mark is gone."""
    wire = Wire(answer(204), refusal(404, "Resource Not Found"))
    gateway = CalendlyBookingsGateway(wire.api)

    await gateway.clear_no_show(ACCESS, bodies.NO_SHOW)
    await gateway.clear_no_show(ACCESS, bodies.NO_SHOW)

    assert [(each.method, each.url.path) for each in wire.requests] == [
        ("DELETE", "/invitee_no_shows/MARK0001")
    ] * 2
