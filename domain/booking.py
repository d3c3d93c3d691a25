"""Booking: one invitee's seat at one scheduled event, and the ordering rule.

Facts about a booking arrive in any order and any number of times, from webhooks and from
Calendly's API. `merge` is commutative, associative and idempotent, so the order and the number of
copies of the same facts never change the booking:

- the status only moves forward: booked → canceled → rescheduled;
- links to the predecessor and the successor are kept once known;
- the latest toggle of the no-show mark wins; a later read from Calendly overrules it;
- a canceled event stays canceled, and cancels each of its bookings;
- for everything else the latest `updated_at` wins; if equal, the facts with more known fields.

A read is as new as the start of its request: it replaces stored facts that are not newer
(`domain.reads`).
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, TypeVar

import msgspec

from domain.ids import BookingId, IntegrationId, UserId, made_at
from domain.redacted_repr import RedactedRepr
from domain.secret import Secret

Value = TypeVar("Value")

LAG = timedelta(minutes=1)
"""How stale a response of Calendly may be, and how far our clock may differ from its clock."""


class BookingStatus(StrEnum):
    """The status of a booking, in the only direction it can move."""

    BOOKED = "booked"
    CANCELED = "canceled"
    RESCHEDULED = "rescheduled"


class Invitee(RedactedRepr, msgspec.Struct, frozen=True):
    """The invitee; `email` is empty and `timezone` None if Calendly does not give them."""

    name: str
    email: str
    timezone: str | None = None


class Location(RedactedRepr, msgspec.Struct, frozen=True):
    """The location; a conference's `join_url` may appear after the booking."""

    shown = ("kind",)
    kind: str
    text: str | None = None
    join_url: str | None = None


class Cancellation(RedactedRepr, msgspec.Struct, frozen=True):
    """A cancellation: its author, time (UTC) and reason."""

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
    """Links that cancel or reschedule without a login: as secret as a password."""

    cancel: Secret | None = None
    reschedule: Secret | None = None


class Details(RedactedRepr, msgspec.Struct, frozen=True):
    """The details of a booking that may change; the latest `updated_at` (UTC) wins."""

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
    """Everything known about one invitee, from one webhook or from many.

    Args:
        invitee_uri: Calendly's URI of the invitee: the identity of a booking.
        predecessor: the invitee this one was rescheduled from.
        successor: the invitee this one was rescheduled to.
        reference: our own token, put into the booking when we created it (utm_content).
        seen: the no-show mark that the last read found, and the time of the read (UTC). It
            overrules older toggles; after it is merged into `no_show` it is not kept.
        event_canceled_at: when the whole event was canceled (UTC); None if it is not known to be.

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
    event_canceled_at: datetime | None = None


class Booking(msgspec.Struct, frozen=True):
    """The facts about one invitee, under our own identity."""

    id: BookingId
    user_id: UserId
    integration_id: IntegrationId
    facts: Facts

    @property
    def is_open(self) -> bool:
        """Whether it is neither canceled nor rescheduled."""
        return self.facts.status is BookingStatus.BOOKED

    @property
    def stored_at(self) -> datetime:
        """When it was first stored (UTC, by our clock)."""
        return made_at(self.id)


def merge(one: Facts, other: Facts) -> Facts:
    """Return the merged facts; the order of the two does not matter.

    Raises:
        ValueError: the two are about different invitees.

    """
    if one.invitee_uri != other.invitee_uri:
        raise ValueError("facts of two invitees cannot be merged")
    successor = _known(one.successor, other.successor, str)
    return Facts(
        invitee_uri=one.invitee_uri,
        event_uri=min(one.event_uri, other.event_uri),
        status=_status(one.status, other.status, successor=successor),
        created_at=min(one.created_at, other.created_at),
        details=max(one.details, other.details, key=_details_rank),
        cancellation=_known(one.cancellation, other.cancellation, _cancellation_rank),
        predecessor=_known(one.predecessor, other.predecessor, str),
        successor=successor,
        no_show=_known(one.no_show, other.no_show, _toggle_rank),
        reference=_known(one.reference, other.reference, str),
        links=Links(
            cancel=_known(one.links.cancel, other.links.cancel, Secret.reveal),
            reschedule=_known(one.links.reschedule, other.links.reschedule, Secret.reveal),
        ),
        seen=_known(one.seen, other.seen, _toggle_rank),
        event_canceled_at=earlier_known(one.event_canceled_at, other.event_canceled_at),
    )


def is_hosted_by(facts: Facts, user_uri: str) -> bool:
    """Whether this Calendly user hosts the event; also true if no hosts are known.

    An event may be reassigned to another host (Calendly: reassigning a meeting): then it leaves
    the bookings of the previous host.
    """
    hosts = facts.details.host_uris
    return not hosts or user_uri in hosts


def succeeded_by(facts: Facts, successor: str) -> Facts:
    """Return the facts as rescheduled to the successor."""
    kept = _known(facts.successor, successor, str)
    return msgspec.structs.replace(facts, successor=kept, status=BookingStatus.RESCHEDULED)


def of_canceled_event(facts: Facts) -> Facts:
    """Return the facts as canceled together with their event.

    The author and the reason are left as they are: the invitee may have left earlier. Only a booking
    that reports the cancellation keeps its time, so the order of deliveries does not matter.
    """
    status = _status(facts.status, BookingStatus.CANCELED, successor=facts.successor)
    return msgspec.structs.replace(facts, status=status)


_RANK = {status: rank for rank, status in enumerate(BookingStatus)}


def _status(one: BookingStatus, other: BookingStatus, *, successor: str | None) -> BookingStatus:
    if successor is not None:
        return BookingStatus.RESCHEDULED
    return max(one, other, key=_RANK.__getitem__)


def earlier_known(one: datetime | None, other: datetime | None) -> datetime | None:
    """Return the known time; of two, the earlier one."""
    if one is None or other is None:
        return other if one is None else one
    return min(one, other)


def _known(one: Value | None, other: Value | None, rank: Callable[[Value], Any]) -> Value | None:
    """Return the known one; of two the one of the higher rank, in either order."""
    if one is None or other is None:
        return other if one is None else one
    return max(one, other, key=rank)


def _details_rank(details: Details) -> tuple[datetime, int, bytes]:
    # A webhook and a later read often have the same time, but only the read has the conference's
    # link. The content decides between equal ones: the order of arrival never matters.
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


def _cancellation_rank(each: Cancellation) -> tuple[datetime, str, str, bool, str]:
    # A missing and an empty reason differ: with a tie the order of arrival would decide.
    return each.at, each.by, each.by_kind, each.reason is not None, each.reason or ""


def _toggle_rank(each: NoShow) -> tuple[datetime, bool, str, datetime]:
    return counts_from(each), each.uri is not None, each.uri or "", each.at


def counts_from(toggle: NoShow) -> datetime:
    """Return the time from which a toggle counts.

    A webhook gives the removal of a mark in whole seconds, and does not name the mark. It may be
    any mark set within that second, so the removal counts from the end of the second. A mark that
    was set again within the second is found by the next read.
    """
    if toggle.uri is None and toggle.at.microsecond == 0:
        return toggle.at + timedelta(seconds=1, microseconds=-1)
    return toggle.at
