"""One odd record or detail costs itself alone."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from structlog.testing import capture_logs

from adapters.calendly.availability import CalendlyAvailabilityGateway
from adapters.calendly.bookings import CalendlyBookingsGateway
from adapters.calendly.webhooks import CalendlyWebhookReader
from adapters.telemetry.omitted_fields import OMITTED
from application.ports.calendly.availability import Answer as Listed
from application.ports.calendly.availability import Fetched
from domain.availability import Window
from domain.booking import BookingStatus
from domain.circuit_breaker import is_outage
from domain.errors import CalendlyProtocolError
from tests.adapters.calendly.support import ACCESS, Wire, answer, resource
from tests.fakes.calendly import bodies

SPAN = Window(start=bodies.START, end=bodies.END)
SLOT = {"start_time": "2026-12-02T20:00:00Z", "scheduling_url": "https://calendly.com/a"}
BUSY = {"type": "external", "start_time": SLOT["start_time"], "end_time": "2026-12-02T21:00:00Z"}
ASKED = {"name": "Size", "required": "perhaps"}
SWITCHED = {"name": "Size", "enabled": "on"}
SCHEDULE = {"uri": f"{bodies.API}/user_availability_schedules/A", "timezone": "UTC"}

Gateway = CalendlyAvailabilityGateway


def event_types(gateway: Gateway) -> Awaitable[Listed[Any]]:
    return gateway.event_types(ACCESS, bodies.USER)


def slots(gateway: Gateway) -> Awaitable[Listed[Any]]:
    return gateway.available_times(ACCESS, bodies.EVENT_TYPE, SPAN)


def busy_times(gateway: Gateway) -> Awaitable[Listed[Any]]:
    return gateway.busy_times(ACCESS, bodies.USER, SPAN)


def schedules(gateway: Gateway) -> Awaitable[Listed[Any]]:
    return gateway.schedules(ACCESS, bodies.USER)


LISTS = [
    (event_types, bodies.event_type(), bodies.event_type(duration=None)),
    (event_types, bodies.event_type(), bodies.event_type(active="yes")),
    (event_types, bodies.event_type(), bodies.event_type(pooling_type=5)),
    (event_types, bodies.event_type(), bodies.event_type(custom_questions=[ASKED])),
    (event_types, bodies.event_type(), bodies.event_type(custom_questions=[SWITCHED])),
    (slots, SLOT, SLOT | {"start_time": None}),
    (slots, SLOT, SLOT | {"invitees_remaining": "many"}),
    (busy_times, BUSY, BUSY | {"end_time": 5}),
    (schedules, SCHEDULE, SCHEDULE | {"timezone": None}),
    (schedules, SCHEDULE, SCHEDULE | {"rules": [{"type": "wday", "intervals": [{}]}]}),
]


@pytest.mark.parametrize(("listed", "good", "odd"), LISTS)
async def test_an_odd_record_is_skipped_and_counted(
    listed: Callable[[Gateway], Awaitable[Listed[Any]]], good: dict[str, Any], odd: dict[str, Any]
) -> None:
    """The others are there, and the list has no tag: a newer version may read all of it."""
    wire = Wire(answer(200, bodies.page(good, odd, good), etag='"one"'))

    found = await listed(Gateway(wire.api))

    assert isinstance(found, Fetched)
    assert (len(found.values), found.skipped, found.etag) == (2, 1, None)


@pytest.mark.parametrize(("listed", "good", "odd"), LISTS)
async def test_a_list_of_odd_records_is_an_error(
    listed: Callable[[Gateway], Awaitable[Listed[Any]]], good: dict[str, Any], odd: dict[str, Any]
) -> None:
    """When Calendly changes a format the last known list stays, and no breaker counts it."""
    wire = Wire(answer(200, bodies.page(odd, odd)))
    with pytest.raises(CalendlyProtocolError) as failure:
        await listed(Gateway(wire.api))
    assert not is_outage(failure.value)

    whole = await listed(Gateway(Wire(answer(200, bodies.page(good), etag='"one"')).api))
    assert isinstance(whole, Fetched)
    assert (whole.skipped, whole.etag) == (0, '"one"')


async def test_an_odd_detail_of_an_event_type_costs_no_event_type() -> None:
    """Optional fields that cannot be read count as absent."""
    odd = bodies.event_type(color=5, locations="here", custom_questions=[{"name": None}])
    found = await event_types(Gateway(Wire(answer(200, bodies.page(odd))).api))

    assert isinstance(found, Fetched)
    (only,) = found.values
    assert (only.color, only.locations, only.questions, found.skipped) == (None, (), (), 0)


ODD_DETAILS: list[dict[str, Any]] = [
    {"scheduled_event": {"location": {"type": "inbound_call", "location": 4915112345}}},
    {"scheduled_event": {"location": "here"}},
    {"scheduled_event": {"calendar_event": {"external_id": 5}}},
    {"scheduled_event": {"name": 5, "event_type": {}}},
    {"no_show": {}},
    {"no_show": {"uri": 5}},
    {"tracking": "none", "timezone": 1},
    {"cancel_url": 5, "reschedule_url": {}, "cancellation": []},
]


@pytest.mark.parametrize("odd", ODD_DETAILS)
def test_an_odd_detail_costs_no_booking(odd: dict[str, Any]) -> None:
    """A webhook makes a booking without the detail that cannot be read."""
    event = bodies.event(**odd.get("scheduled_event", {}))
    body = bodies.webhook("invitee.created", bodies.payload(**{**odd, "scheduled_event": event}))

    webhook = CalendlyWebhookReader().read(body)

    assert webhook.unreadable is None
    assert webhook.facts is not None
    assert webhook.facts.status is BookingStatus.BOOKED
    assert webhook.facts.details.start == bodies.START
    assert webhook.account_uris == (bodies.USER,)


def test_the_rest_of_an_odd_detail_is_kept() -> None:
    """Of a location only the part that cannot be read is left out."""
    location = {"type": "inbound_call", "location": 4915112345}
    payload = bodies.payload(scheduled_event=bodies.event(location=location))

    facts = CalendlyWebhookReader().read(bodies.webhook("invitee.created", payload)).facts

    assert facts is not None
    assert facts.details.location is not None
    assert (facts.details.location.kind, facts.details.location.text) == ("inbound_call", None)


def test_a_detail_that_is_left_out_is_counted_and_logged_by_its_path() -> None:
    """An operator learns which field it was, and no log has its value."""
    before = OMITTED._value.get()
    payload = bodies.payload(tracking="utm-of-iris", timezone=1)

    with capture_logs() as logs:
        CalendlyWebhookReader().read(bodies.webhook("invitee.created", payload))

    assert OMITTED._value.get() == before + 2
    assert {(each["event"], each["field"]) for each in logs} == {
        ("calendly_field_omitted", "$.tracking"),
        ("calendly_field_omitted", "$.timezone"),
    }
    assert "utm-of-iris" not in str(logs)


DECISIVE: list[dict[str, Any]] = [
    {"status": 5},
    {"rescheduled": "perhaps"},
    {"new_invitee": 5},
    {"email": ["x"]},
    {"created_at": None},
    {"updated_at": "9999-12-31T23:59:59Z"},
    {"scheduled_event": {"updated_at": "soon"}},
    {"scheduled_event": {"status": 5}},
    {"scheduled_event": {"end_time": "later"}},
    {"scheduled_event": {"start_time": None}},
    {"scheduled_event": {"event_memberships": [{"user": 5}]}},
]


@pytest.mark.parametrize("odd", DECISIVE)
def test_what_decides_is_never_left_out(odd: dict[str, Any]) -> None:
    """A payload whose status, time or hosts cannot be read is not guessed; its URI is known."""
    event = bodies.event(**odd.get("scheduled_event", {}))
    body = bodies.webhook("invitee.created", bodies.payload(**{**odd, "scheduled_event": event}))

    webhook = CalendlyWebhookReader().read(body)

    assert webhook.unreadable is not None
    assert (webhook.facts, webhook.subject) == (None, None)
    assert webhook.invitee_uri == bodies.INVITEE


async def test_an_invitee_is_fetched_without_an_odd_detail() -> None:
    """The API's answers are read as webhooks are."""
    wire = Wire(
        resource(bodies.invitee(timezone=1)),
        resource(bodies.event(location={"type": "custom", "location": 5})),
    )

    facts = await CalendlyBookingsGateway(wire.api).invitee(ACCESS, bodies.INVITEE)

    assert facts.details.location is not None
    assert (facts.details.location.text, facts.details.start) == (None, bodies.START)


@pytest.mark.parametrize(
    ("invitee", "event"),
    [
        ({"no_show": {}}, {}),
        ({"no_show": {"uri": 5}}, {}),
        ({"updated_at": "soon"}, {}),
        ({}, {"updated_at": "soon"}),
    ],
)
async def test_a_read_guesses_neither_a_mark_nor_a_date(
    invitee: dict[str, Any], event: dict[str, Any]
) -> None:
    """In a read an absent mark removes the stored one, so an odd mark does not count as absent."""
    wire = Wire(resource(bodies.invitee(**invitee)), resource(bodies.event(**event)))
    with pytest.raises(CalendlyProtocolError, match="cannot be read"):
        await CalendlyBookingsGateway(wire.api).invitee(ACCESS, bodies.INVITEE)

    pages = Wire(
        answer(200, bodies.page(bodies.event(**event))),
        answer(200, bodies.page(bodies.invitee(**invitee))),
    )
    page = await CalendlyBookingsGateway(pages.api).page(ACCESS, bodies.USER, SPAN, None)
    assert (page.facts, page.unreadable) == ((), 1)


async def test_an_odd_pooling_type_is_not_taken_for_a_single_host() -> None:
    """A round robin whose kind cannot be read would be booked as if it had one seat."""
    wire = Wire(resource(bodies.event_type(pooling_type={"kind": "round_robin"})))
    with pytest.raises(CalendlyProtocolError, match="pooling_type"):
        await event_types_of(wire)


def event_types_of(wire: Wire) -> Awaitable[Any]:
    return Gateway(wire.api).event_type(ACCESS, bodies.EVENT_TYPE)
