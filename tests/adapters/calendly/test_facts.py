from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.calendly.translation.facts import to_facts
from adapters.calendly.wire.decoding import decode
from adapters.calendly.wire.invitees import InviteeWithEvent
from domain.booking import (
    BookingStatus,
    Cancellation,
    Details,
    Facts,
    Invitee,
    Links,
    Location,
    NoShow,
    merge,
)
from domain.secret import Secret
from tests.adapters.calendly.support import UNHURRIED
from tests.fakes.calendly import bodies

LATER = datetime(2026, 11, 3, 8, 0, tzinfo=UTC)
SUCCESSOR = f"{bodies.API}/scheduled_events/EVENT0002/invitees/INVITEE0002"


def facts(*, canceled: bool = False, event: Any = None, **changed: Any) -> Facts:
    """Return the facts of an invitee's JSON."""
    body = bodies.invitee(**changed) | {"scheduled_event": event or bodies.event()}
    read = decode(msgspec.json.encode(body), InviteeWithEvent)
    return to_facts(read, read.scheduled_event, canceled=canceled)


def test_a_booking_is_read_in_full() -> None:
    """Every field of the facts comes from its place in Calendly's body."""
    assert facts() == Facts(
        invitee_uri=bodies.INVITEE,
        event_uri=bodies.EVENT,
        status=BookingStatus.BOOKED,
        created_at=bodies.BOOKED_AT,
        details=Details(
            updated_at=bodies.BOOKED_AT,
            event_type_uri=bodies.EVENT_TYPE,
            event_name="30 Minute Meeting",
            start=bodies.START,
            end=bodies.END,
            invitee=Invitee("Grace Invitee", "grace@example.net", "Europe/Zurich"),
            location=Location("google_conference"),
            host_uris=(bodies.USER,),
            calendar_event_id="calendar-1",
        ),
        links=Links(
            cancel=Secret("https://calendly.com/cancellations/INVITEE0001"),
            reschedule=Secret("https://calendly.com/reschedulings/INVITEE0001"),
        ),
    )


@pytest.mark.parametrize(
    ("changed", "event", "known", "status"),
    [
        ({}, "active", False, BookingStatus.BOOKED),
        ({"status": "canceled"}, "active", False, BookingStatus.CANCELED),
        ({}, "canceled", False, BookingStatus.CANCELED),
        ({}, "active", True, BookingStatus.CANCELED),
        (
            {"status": "canceled", "rescheduled": True},
            "canceled",
            False,
            BookingStatus.RESCHEDULED,
        ),
        ({"rescheduled": True}, "active", True, BookingStatus.RESCHEDULED),
        (
            {"status": "canceled", "new_invitee": SUCCESSOR},
            "active",
            False,
            BookingStatus.RESCHEDULED,
        ),
        ({"new_invitee": SUCCESSOR}, "active", False, BookingStatus.RESCHEDULED),
        ({"rescheduled": True}, "active", False, BookingStatus.BOOKED),
        ({"old_invitee": SUCCESSOR}, "active", False, BookingStatus.BOOKED),
    ],
)
def test_the_status_follows_from_invitee_and_event(
    changed: dict[str, Any], event: str, known: bool, status: BookingStatus
) -> None:
    """Canceled by either is canceled; with a successor or the flag it was rescheduled."""
    assert facts(event=bodies.event(status=event), canceled=known, **changed).status is status


def test_the_details_are_as_new_as_the_newer_of_invitee_and_event() -> None:
    """A join link that came later makes the details newer, though the invitee did not change."""
    location = {"type": "zoom_conference", "status": "pushed", "join_url": "https://zoom.test/1"}
    late = facts(event=bodies.event(updated_at=bodies.stamp(LATER), location=location))

    assert late.details.updated_at == LATER
    assert merge(facts(), late).details.location == Location(
        "zoom_conference", None, "https://zoom.test/1"
    )


def test_both_links_of_a_chain_are_kept() -> None:
    """An invitee in the middle of a chain knows both neighbours."""
    middle = facts(status="canceled", old_invitee=bodies.INVITEE + "0", new_invitee=SUCCESSOR)

    assert (middle.predecessor, middle.successor) == (bodies.INVITEE + "0", SUCCESSOR)


@pytest.mark.parametrize(
    ("content", "reference"),
    [
        ("slotkeeper:abc", "slotkeeper:abc"),
        ("newsletter", None),
        ("Slotkeeper:abc", None),
        ("", None),
        (None, None),
    ],
)
def test_only_our_own_token_is_a_reference(content: str | None, reference: str | None) -> None:
    """UTM parameters that another program set are not taken for ours."""
    assert facts(tracking=bodies.tracking(utm_content=content)).reference == reference


def test_the_invitees_own_cancellation_comes_before_the_events() -> None:
    """The cancellation is read from the invitee, else from the event, if it is not active."""
    own, of_event = bodies.cancellation(), bodies.cancellation(canceled_by="Ada", reason=None)
    read = Cancellation(bodies.OCCURRED_AT, "Grace Invitee", "invitee", "Meeting conflict")
    canceled = bodies.event(status="canceled", cancellation=of_event)

    assert facts(status="canceled", cancellation=own, event=canceled).cancellation == read
    assert facts(event=canceled).cancellation == Cancellation(
        bodies.OCCURRED_AT, "Ada", "invitee", None
    )
    assert facts(cancellation=own).cancellation is None


def test_an_old_cancellation_without_a_time_has_the_invitees() -> None:
    """Older bodies do not say when; the invitee's last change does."""
    old = {"canceled_by": "Ada", "reason": None, "canceler_type": "host"}
    read = facts(status="canceled", cancellation=old, updated_at=bodies.stamp(LATER))

    assert read.cancellation == Cancellation(LATER, "Ada", "host", None)


def test_an_absent_no_show_is_unknown_and_a_present_one_is_set() -> None:
    """A read without a mark never takes one back."""
    mark = {"uri": bodies.NO_SHOW, "created_at": bodies.stamp(LATER)}
    marked = facts(no_show=mark)

    assert marked.no_show == NoShow(LATER, bodies.NO_SHOW)
    assert facts().no_show is None
    assert merge(marked, facts()).no_show == NoShow(LATER, bodies.NO_SHOW)


@pytest.mark.parametrize(
    ("location", "read"),
    [
        (None, None),
        (
            {"type": "physical", "location": "12 Harbour Street", "additional_info": "2nd floor"},
            Location("physical", "12 Harbour Street"),
        ),
        (
            {"type": "outbound_call", "location": "+41790000000"},
            Location("outbound_call", "+41790000000"),
        ),
        (
            {"type": "inbound_call", "additional_info": "Ring twice"},
            Location("inbound_call", "Ring twice"),
        ),
        (
            {
                "type": "zoom_conference",
                "status": "processing",
                "join_url": None,
                "data": {"id": 1},
            },
            Location("zoom_conference"),
        ),
        (
            {"type": "custom", "location": "https://meet.example/1"},
            Location("custom", "https://meet.example/1", "https://meet.example/1"),
        ),
        ({"type": "custom", "location": "At the pier"}, Location("custom", "At the pier")),
        ({"type": "ask_invitee", "location": None}, Location("ask_invitee")),
    ],
)
def test_every_kind_of_location_is_read(location: Any, read: Location | None) -> None:
    """Places, phone numbers and links each come to their field."""
    assert facts(event=bodies.event(location=location)).details.location == read


@pytest.mark.parametrize(
    ("names", "name"),
    [
        ({"name": "Grace Invitee", "first_name": "G", "last_name": "I"}, "Grace Invitee"),
        ({"name": None, "first_name": "Grace", "last_name": "Invitee"}, "Grace Invitee"),
        ({"name": "", "first_name": "Grace", "last_name": None}, "Grace"),
        ({"name": None}, ""),
    ],
)
def test_a_name_is_put_together_where_it_comes_in_parts(names: dict[str, Any], name: str) -> None:
    """A booking form has one name field or two."""
    assert facts(**names).details.invitee.name == name


def test_a_round_robin_meeting_names_its_hosts() -> None:
    """Hosts are those of the event's memberships."""
    members = [{"user": bodies.USER}, {"user": None}, {"user": f"{bodies.API}/users/B"}]
    event = bodies.event(event_memberships=members, calendar_event=None, event_type=None)

    assert facts(event=event).details.host_uris == (bodies.USER, f"{bodies.API}/users/B")
    assert facts(event=event).details.calendar_event_id is None


def test_a_short_body_is_enough() -> None:
    """Only the identity and the time are indispensable."""
    body = {
        "uri": bodies.INVITEE,
        "created_at": bodies.stamp(bodies.BOOKED_AT),
        "canceled": False,
        "scheduled_event": {
            "uri": bodies.EVENT,
            "start_time": bodies.stamp(bodies.START),
        },
    }
    read = decode(msgspec.json.encode(body), InviteeWithEvent)

    short = to_facts(read, read.scheduled_event)

    assert (short.invitee_uri, short.event_uri) == (bodies.INVITEE, bodies.EVENT)
    assert short.details.updated_at == bodies.BOOKED_AT
    assert short.links == Links()
    assert (short.details.invitee, short.details.end) == (Invitee("", ""), bodies.START)


OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda each: timezone(timedelta(minutes=each)))


@UNHURRIED
@given(
    st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=OFFSETS),  # noqa: DTZ001
    st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=OFFSETS),  # noqa: DTZ001
)
def test_every_time_becomes_the_same_instant_in_utc(start: datetime, changed: datetime) -> None:
    """The instant is kept and the offset is UTC, in every notation that Calendly uses."""
    event = bodies.event(start_time=start.isoformat(), updated_at=changed.isoformat())

    details = facts(event=event).details

    assert details.start == start
    assert details.updated_at == max(changed, bodies.BOOKED_AT)
    assert details.start.utcoffset() == details.updated_at.utcoffset() == timedelta(0)


@UNHURRIED
@given(
    st.permutations(
        [
            {},
            {"status": "canceled", "cancellation": bodies.cancellation()},
            {"no_show": {"uri": bodies.NO_SHOW, "created_at": bodies.stamp(LATER)}},
            {"status": "canceled", "rescheduled": True, "new_invitee": SUCCESSOR},
        ]
    )
)
def test_the_order_of_bodies_does_not_matter(order: list[dict[str, Any]]) -> None:
    """The same booking comes out of the bodies in any order."""
    merged = facts(**order[0])
    for changed in order[1:]:
        merged = merge(merged, facts(**changed))

    assert merged.status is BookingStatus.RESCHEDULED
    assert merged.successor == SUCCESSOR
    assert merged.no_show == NoShow(LATER, bodies.NO_SHOW)
    assert merged.cancellation is not None
