"""Booking: one invitee's seat at one scheduled event, and the ordering rule.

Facts about a booking arrive in any order and any number of times, from webhooks and from
Calendly's API. `merge` is commutative, associative and idempotent, so every order and every
duplication of the same facts gives the same booking:

- status only ever moves on: booked → canceled → rescheduled;
- links to the predecessor and the successor are kept once known;
- the no-show mark belongs to its latest toggle; a later look at Calendly overrules it;
- everything else belongs to the facts with the latest `updated_at`; of equal ones, to the fuller.

A read is as new as its question: what it says replaces what is known and not newer (`domain.reads`).
"""

from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

from domain.ids import BookingId, IntegrationId, UserId, made_at
from domain.redacted_repr import RedactedRepr
from domain.secret import Secret

LAG = timedelta(minutes=1)
"""How far behind an answer of Calendly's may be, and our clock apart from its."""


class BookingStatus(StrEnum):
    """What became of a booking, in the only direction it can move."""

    BOOKED = "booked"
    CANCELED = "canceled"
    RESCHEDULED = "rescheduled"


class Invitee(RedactedRepr, msgspec.Struct, frozen=True):
    """Who comes; `email` is empty and `timezone` None where Calendly does not say."""

    name: str
    email: str
    timezone: str | None = None


class Location(RedactedRepr, msgspec.Struct, frozen=True):
    """Where it takes place; a conference's `join_url` may come later than the booking."""

    shown = ("kind",)
    kind: str
    text: str | None = None
    join_url: str | None = None


class Cancellation(RedactedRepr, msgspec.Struct, frozen=True, order=True):
    """Who canceled, when (UTC) and why."""

    shown = ("at", "by_kind")
    at: datetime
    by: str
    by_kind: str
    reason: str | None = None


class NoShow(msgspec.Struct, frozen=True):
    """The latest toggle of the no-show mark: when (UTC), and its URI while it is set."""

    at: datetime
    uri: str | None


class Links(msgspec.Struct, frozen=True):
    """Links that cancel or reschedule without any login: as secret as a password."""

    cancel: Secret | None = None
    reschedule: Secret | None = None


class Details(RedactedRepr, msgspec.Struct, frozen=True):
    """What describes a booking and may change; the latest `updated_at` (UTC) wins."""

    shown = ("updated_at", "event_type_uri", "start", "end")
    updated_at: datetime
    event_type_uri: str | None
    event_name: str
    start: datetime
    end: datetime
    invitee: Invitee
    location: Location | None = None
    host_uris: tuple[str, ...] = ()
    calendar_event_id: str | None = None


class Facts(msgspec.Struct, frozen=True):
    """Everything known of one invitee, whether from one webhook or from a hundred.

    Args:
        invitee_uri: Calendly's name for the invitee: the identity of a booking.
        predecessor: the invitee this one was rescheduled from.
        successor: the invitee this one was rescheduled to.
        reference: our own token, put into the booking when we made it (utm_content).
        seen: what Calendly was last seen to hold as the no-show mark, and as of when (UTC). It
            overrules older toggles; once settled into `no_show` it is not kept.

    """

    invitee_uri: str
    event_uri: str
    status: BookingStatus
    created_at: datetime
    details: Details
    cancellation: Cancellation | None = None
    predecessor: str | None = None
    successor: str | None = None
    no_show: NoShow | None = None
    reference: str | None = None
    links: Links = Links()
    seen: NoShow | None = None


class Booking(msgspec.Struct, frozen=True):
    """The facts about one invitee, under our own identity."""

    id: BookingId
    user_id: UserId
    integration_id: IntegrationId
    facts: Facts

    @property
    def is_open(self) -> bool:
        """Whether it still stands."""
        return self.facts.status is BookingStatus.BOOKED

    @property
    def stored_at(self) -> datetime:
        """When it was first stored (UTC, by our clock)."""
        return made_at(self.id)


def merge(one: Facts, other: Facts) -> Facts:
    """Return what both say together, whichever came first.

    Raises:
        ValueError: the two speak of different invitees.

    """
    if one.invitee_uri != other.invitee_uri:
        raise ValueError("facts of two invitees cannot be merged")
    successor = _known(one.successor, other.successor)
    return Facts(
        invitee_uri=one.invitee_uri,
        event_uri=min(one.event_uri, other.event_uri),
        status=_status(one.status, other.status, successor=successor),
        created_at=min(one.created_at, other.created_at),
        details=_later_details(one, other),
        cancellation=_latest_cancellation(one.cancellation, other.cancellation),
        predecessor=_known(one.predecessor, other.predecessor),
        successor=successor,
        no_show=_latest_toggle(one.no_show, other.no_show),
        reference=_known(one.reference, other.reference),
        links=_links(one.links, other.links),
        seen=_latest_toggle(one.seen, other.seen),
    )


def is_hosted_by(facts: Facts, user_uri: str) -> bool:
    """Whether the event is (still) this Calendly user's; where no hosts are told, it is.

    An event may be given to another host (Calendly: reassigning a meeting): then it leaves the
    bookings of the one before.
    """
    hosts = facts.details.host_uris
    return not hosts or user_uri in hosts


def succeeded_by(facts: Facts, successor: str) -> Facts:
    """Return the facts with the invitee who took this one's place: it was rescheduled."""
    kept = _known(facts.successor, successor)
    return msgspec.structs.replace(facts, successor=kept, status=BookingStatus.RESCHEDULED)


_RANK = {status: rank for rank, status in enumerate(BookingStatus)}


def _status(one: BookingStatus, other: BookingStatus, *, successor: str | None) -> BookingStatus:
    if successor is not None:
        return BookingStatus.RESCHEDULED
    return max(one, other, key=_RANK.__getitem__)


def _known(one: str | None, other: str | None) -> str | None:
    """The one that is known; of two, always the same whichever came first."""
    if one is None or other is None:
        return other if one is None else one
    return max(one, other)


def _later_details(one: Facts, other: Facts) -> Details:
    return max(one.details, other.details, key=_details_standing)


def _details_standing(details: Details) -> tuple[datetime, int, bytes]:
    # A webhook and a later read often carry the same time, but only the read has the conference's
    # link. What is still equal is told apart by content: the order of arrival never matters.
    location = details.location or Location(kind="")
    may_be_absent = (
        details.event_type_uri,
        details.calendar_event_id,
        details.invitee.timezone,
        details.location,
        location.text,
        location.join_url,
    )
    known = sum(each is not None for each in may_be_absent)
    return details.updated_at, known, msgspec.json.encode(details)


def _latest_cancellation(
    one: Cancellation | None, other: Cancellation | None
) -> Cancellation | None:
    if one is None or other is None:
        return other if one is None else one
    return max(one, other, key=_cancellation_standing)


def _cancellation_standing(each: Cancellation) -> tuple[datetime, str, str, bool, str]:
    # No reason and an empty one differ: a tie would leave it to the order of arrival.
    return each.at, each.by, each.by_kind, each.reason is not None, each.reason or ""


def _latest_toggle(one: NoShow | None, other: NoShow | None) -> NoShow | None:
    if one is None or other is None:
        return other if one is None else one
    return max(one, other, key=_toggle_standing)


def _toggle_standing(each: NoShow) -> tuple[datetime, bool, str, datetime]:
    return counts_from(each), each.uri is not None, each.uri or "", each.at


def counts_from(toggle: NoShow) -> datetime:
    """A webhook tells in whole seconds when a mark was taken back, but not of which mark.

    That may be any within its second: a mark whose news comes late must not outlive its end. One
    that was set again within the second is found by the next read.
    """
    if toggle.uri is None and toggle.at.microsecond == 0:
        return toggle.at + timedelta(seconds=1, microseconds=-1)
    return toggle.at


def _links(one: Links, other: Links) -> Links:
    return Links(
        cancel=_known_secret(one.cancel, other.cancel),
        reschedule=_known_secret(one.reschedule, other.reschedule),
    )


def _known_secret(one: Secret | None, other: Secret | None) -> Secret | None:
    if one is None or other is None:
        return other if one is None else one
    return max(one, other, key=Secret.reveal)
