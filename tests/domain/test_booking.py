from datetime import datetime
from uuid import uuid4

import msgspec
import pytest
from hypothesis import given

from domain.booking import (
    Booking,
    BookingStatus,
    Cancellation,
    Details,
    Facts,
    Links,
    Location,
    NoShow,
    merge,
    succeeded_by,
)
from domain.ids import BookingId, IntegrationId, UserId
from domain.secret import Secret
from tests.domain import strategies
from tests.domain.samples import NOW, details, facts, invitee_uri, seconds

BOOKED, CANCELED, RESCHEDULED = BookingStatus
ORDER = [BOOKED, CANCELED, RESCHEDULED]
LATER = NOW + seconds(60)


@given(strategies.facts(), strategies.facts())
def test_merging_is_commutative(one: Facts, other: Facts) -> None:
    """Two facts in either order give the same booking."""
    assert merge(one, other) == merge(other, one)


@given(strategies.facts(), strategies.facts(), strategies.facts())
def test_merging_is_associative(one: Facts, other: Facts, third: Facts) -> None:
    """Facts in any grouping before they are stored give the same booking."""
    assert merge(merge(one, other), third) == merge(one, merge(other, third))


@given(strategies.facts(), strategies.facts())
def test_merging_is_idempotent(one: Facts, other: Facts) -> None:
    """A fact that is known already changes nothing, alone or among others."""
    both = merge(one, other)

    assert merge(one, one) == one
    assert merge(both, one) == merge(both, other) == both


@given(strategies.facts(), strategies.facts())
def test_status_only_moves_on(one: Facts, other: Facts) -> None:
    """No fact, even a late one, takes a booking back to an earlier status."""
    merged = ORDER.index(merge(one, other).status)

    assert merged >= max(ORDER.index(one.status), ORDER.index(other.status))


@given(strategies.facts(), strategies.facts())
def test_what_is_known_is_never_forgotten(one: Facts, other: Facts) -> None:
    """A link, reference or address that either side knows is known afterwards."""
    merged = merge(one, other)

    for side in (one, other):
        assert side.predecessor is None or merged.predecessor is not None
        assert side.successor is None or merged.successor is not None
        assert side.reference is None or merged.reference is not None
        assert side.cancellation is None or merged.cancellation is not None
        assert side.links.cancel is None or merged.links.cancel is not None


@given(strategies.facts(), strategies.facts())
def test_details_are_those_of_the_latest_change(one: Facts, other: Facts) -> None:
    """The details of a booking are taken whole from one side, and from the later one."""
    merged = merge(one, other)

    assert merged.details in (one.details, other.details)
    assert merged.details.updated_at == max(one.details.updated_at, other.details.updated_at)
    assert merged.created_at == min(one.created_at, other.created_at)


def test_two_invitees_are_never_one_booking() -> None:
    """Facts about two invitees of the same event cannot be merged."""
    with pytest.raises(ValueError, match="two invitees"):
        merge(facts("A"), facts("B"))


def test_a_late_created_does_not_open_a_canceled_booking() -> None:
    """A booking stays canceled when the webhook of its creation arrives last."""
    canceled = facts(
        status=CANCELED, cancellation=Cancellation(at=LATER, by="Ada", by_kind="invitee")
    )

    assert merge(canceled, facts()) == canceled


def test_a_known_successor_makes_it_rescheduled() -> None:
    """A cancellation that names a successor is a reschedule, whatever status it came with."""
    later = facts(status=CANCELED, successor=invitee_uri("B"))

    merged = merge(facts(status=CANCELED), later)
    assert (merged.status, merged.successor) == (RESCHEDULED, invitee_uri("B"))


def test_a_successor_that_is_known_stays() -> None:
    """Learning the same successor again changes nothing."""
    moved = succeeded_by(facts(), invitee_uri("B"))

    assert succeeded_by(moved, invitee_uri("B")) == moved


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (NoShow(NOW, "n1"), NoShow(LATER, None), NoShow(LATER, None)),
        (NoShow(LATER, "n2"), NoShow(NOW, None), NoShow(LATER, "n2")),
        (NoShow(NOW, None), NoShow(NOW, ""), NoShow(NOW, None)),
        (NoShow(NOW, None), NoShow(NOW + seconds(0.9), "n1"), NoShow(NOW, None)),
        (NoShow(NOW, None), NoShow(NOW + seconds(1), "n1"), NoShow(NOW + seconds(1), "n1")),
        (
            NoShow(NOW + seconds(0.1), None),
            NoShow(NOW + seconds(0.9), "n1"),
            NoShow(NOW + seconds(0.9), "n1"),
        ),
        (NoShow(NOW, "n1"), None, NoShow(NOW, "n1")),
        (None, None, None),
    ],
)
def test_the_no_show_mark_belongs_to_its_latest_toggle(
    one: NoShow | None, other: NoShow | None, expected: NoShow | None
) -> None:
    """Marking and taking back count by when they happened, not by when they arrived."""
    here, there = facts(no_show=one), facts(no_show=other)

    assert merge(here, there).no_show == merge(there, here).no_show == expected


@pytest.mark.parametrize(
    ("plain", "fuller"),
    [
        (details(), details(calendar_event_id="google-1")),
        (
            details(location=Location(kind="zoom")),
            details(location=Location(kind="zoom", join_url="https://zoom.example/1")),
        ),
        (details(), details(location=Location(kind="zoom"))),
    ],
)
def test_of_one_moment_the_fuller_account_is_kept(plain: Details, fuller: Details) -> None:
    """A read that knows more than the webhook of the same change is not thrown away."""
    webhook, read = facts(details=plain), facts(details=fuller)

    assert merge(webhook, read).details == merge(read, webhook).details == fuller


@pytest.mark.parametrize(("at", "wins"), [(NOW, False), (LATER, True)])
def test_the_later_account_wins_over_the_fuller(at: datetime, wins: bool) -> None:
    """A change that takes something away is a change like any other."""
    known = facts(details=details(updated_at=NOW, calendar_event_id="google-1"))
    later = facts(details=details(updated_at=at))

    assert (merge(known, later).details == later.details) is wins


def test_cancellations_differ_by_their_reason_too() -> None:
    """Of two cancellations at the same time, the same one is kept in either order."""
    silent = facts(cancellation=Cancellation(at=NOW, by="Ada", by_kind="invitee"))
    empty = facts(cancellation=Cancellation(at=NOW, by="Ada", by_kind="invitee", reason=""))

    assert merge(silent, empty) == merge(empty, silent)


def test_links_are_kept_and_redacted() -> None:
    """The links that act without a login survive merging and stay redacted."""
    link = "https://calendly.com/cancellations/A"
    merged = merge(facts(links=Links(cancel=Secret(link))), facts())

    assert merged.links.cancel == Secret(link)
    assert link not in repr(merged)


@pytest.mark.parametrize("status", BookingStatus)
def test_only_a_booked_booking_is_open(status: BookingStatus) -> None:
    """A canceled or rescheduled booking is not open."""
    booking = Booking(
        id=BookingId(uuid4()),
        user_id=UserId(uuid4()),
        integration_id=IntegrationId(uuid4()),
        facts=facts(status=status),
    )

    assert booking.is_open is (status is BOOKED)


def test_facts_cannot_be_encoded_with_their_links() -> None:
    """Facts that hold a link cannot become part of a workflow's history by mistake."""
    with pytest.raises(TypeError):
        msgspec.json.encode(facts(links=Links(cancel=Secret("link"))))
