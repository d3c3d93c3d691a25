"""Lives of bookings at Calendly as its webhooks tell them, byte for byte.

`Teller` lives through acts and keeps, beside the truth, every delivery in the order of events.
Each subscription that covers a host of the event gets a delivery. Calendly: a reschedule is two
deliveries, and a group event is one an invitee. An organization's subscription covers every host.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from hypothesis import strategies as st

from domain.booking import BookingStatus
from tests.fakes.calendly import bodies
from tests.fakes.clock import NOON

ACTS = ("book", "join", "invitee", "host", "move", "mark", "clear")
HOSTS = ("A", "B", "AB", "AC", "C")
"""Hosts of an event: A and B are connected, C is not; a collective event has several hosts."""
HALVES = ("both", "older", "newer")
"""Which half of a reschedule names the other one."""


class Act(NamedTuple):
    """One thing that happens, to which of those it may happen to, how many seconds later."""

    kind: str
    which: int = 0
    after: float = 1.0
    hosts: str = "A"
    told_by: str = "both"


class Delivery(NamedTuple):
    """A body, and the host to whose own address it goes; None for the organization's."""

    body: bytes
    host: str | None


@dataclass(eq=False)
class Meeting:
    """A scheduled event."""

    uri: str
    hosts: str
    changed: datetime
    canceled: bool = False


@dataclass(eq=False)
class Guest:
    """The truth about one invitee."""

    uri: str
    meeting: Meeting
    made: datetime
    changed: datetime
    status: BookingStatus = BookingStatus.BOOKED
    cancellation: Mapping[str, Any] | None = None
    old: str | None = None
    new: str | None = None
    mark: Mapping[str, str] | None = None
    unsaid: tuple[str, ...] = ()


@dataclass
class Teller:
    """All guests there are, and every delivery about them in the order of events."""

    user_uris: Mapping[str, str]
    now: datetime = NOON
    guests: list[Guest] = field(default_factory=list)
    told: list[list[Delivery]] = field(default_factory=list)

    def live(self, acts: Sequence[Act]) -> "Teller":
        """Let the acts happen one after another; one that cannot happen does not."""
        for act in acts:
            self.now += timedelta(seconds=act.after)
            found = self._candidates(act.kind)
            if act.kind == "book":
                self._book(self._meeting(act.hosts))
            elif found:
                self._happens(act, found[act.which % len(found)])
        return self

    @property
    def once_in_order(self) -> list[Delivery]:
        """Each fact once for each connected host."""
        return [one for fact in self.told for one in fact if one.host is not None]

    @property
    def everything(self) -> list[Delivery]:
        """All deliveries of the users' subscriptions and of the organization's together."""
        return [one for fact in self.told for one in fact]

    def _candidates(self, kind: str) -> list[Guest]:
        if kind in {"mark", "clear"}:
            return [each for each in self.guests if bool(each.mark) is (kind == "clear")]
        return [each for each in self.guests if each.status is BookingStatus.BOOKED]

    def _happens(self, act: Act, guest: Guest) -> None:
        kind = act.kind
        if kind == "join":
            self._book(guest.meeting)
        elif kind == "invitee":
            self._cancel(guest, "invitee")
        elif kind == "host":
            for each in self._candidates(kind):
                if each.meeting is guest.meeting:
                    self._cancel(each, "host")
        elif kind == "move":
            self._move(guest, act.told_by)
        else:
            self._toggle(kind, guest)

    def _meeting(self, hosts: str) -> Meeting:
        uri = f"{bodies.API}/scheduled_events/EVENT{len(self.guests):04}"
        return Meeting(uri, hosts, changed=self.now)

    def _book(self, meeting: Meeting, old: Guest | None = None) -> Guest:
        uri = f"{meeting.uri}/invitees/GUEST{len(self.guests):04}"
        guest = Guest(uri, meeting, made=self.now, changed=self.now, old=old.uri if old else None)
        self.guests.append(guest)
        if old is None:
            self._tell("invitee.created", guest)
        return guest

    def _cancel(self, guest: Guest, by: str) -> None:
        self._close(guest, BookingStatus.CANCELED, by)
        self._tell("invitee.canceled", guest)

    def _move(self, guest: Guest, told_by: str) -> None:
        newer = self._book(self._meeting(guest.meeting.hosts), old=guest)
        if told_by == "older":
            # An older body does not say that it was a reschedule, but who came of it.
            newer.unsaid, guest.unsaid = ("old_invitee",), ("rescheduled",)
        elif told_by == "newer":
            guest.unsaid = ("new_invitee",)
        guest.new = newer.uri
        self._close(guest, BookingStatus.RESCHEDULED, "invitee")
        self._tell("invitee.canceled", guest)
        self._tell("invitee.created", newer)

    def _close(self, guest: Guest, status: BookingStatus, by: str) -> None:
        guest.status, guest.changed = status, self.now
        guest.cancellation = bodies.cancellation(
            canceler_type=by, created_at=bodies.stamp(self.now)
        )
        guest.meeting.changed = self.now
        of_meeting = [each for each in self.guests if each.meeting is guest.meeting]
        guest.meeting.canceled = all(e.status is not BookingStatus.BOOKED for e in of_meeting)

    def _toggle(self, kind: str, guest: Guest) -> None:
        uri = f"{bodies.API}/invitee_no_shows/MARK{len(self.told):04}"
        marked = {"uri": uri, "created_at": bodies.stamp(self.now)}
        guest.mark = marked if kind == "mark" else None
        self._tell(f"invitee_no_show.{'created' if kind == 'mark' else 'deleted'}", guest)

    def _tell(self, kind: str, guest: Guest) -> None:
        payload = self._payload(guest)
        if kind == "invitee_no_show.deleted":
            del payload["no_show"]
        body = bodies.webhook(kind, payload, self.now.replace(microsecond=0))
        hosts = [host for host in guest.meeting.hosts if host != "C"]
        self.told.append([Delivery(body, host) for host in (*hosts, None)])

    def _payload(self, guest: Guest) -> dict[str, Any]:
        meeting = guest.meeting
        payload = bodies.payload(
            uri=guest.uri,
            event=meeting.uri,
            created_at=bodies.stamp(guest.made),
            updated_at=bodies.stamp(guest.changed),
            status="active" if guest.status is BookingStatus.BOOKED else "canceled",
            rescheduled=guest.status is BookingStatus.RESCHEDULED,
            old_invitee=guest.old,
            new_invitee=guest.new,
            no_show=guest.mark,
            scheduled_event=bodies.event(
                uri=meeting.uri,
                status="canceled" if meeting.canceled else "active",
                updated_at=bodies.stamp(meeting.changed),
                event_memberships=[{"user": self.user_uris[host]} for host in meeting.hosts],
            ),
        )
        silent = dict.fromkeys(guest.unsaid)
        return (
            payload | silent | ({"cancellation": guest.cancellation} if guest.cancellation else {})
        )


def _acts(kinds: Sequence[str], at_once: float) -> st.SearchStrategy[Act]:
    return st.builds(
        Act,
        kind=st.sampled_from(kinds),
        which=st.integers(0, 5),
        after=st.floats(at_once, 2.5),
        hosts=st.sampled_from(HOSTS),
        told_by=st.sampled_from(HALVES),
    )


# Calendly's envelope carries whole seconds, so that acts are at least one second apart. Only a
# mark may be taken back sooner.
acts = _acts(ACTS, 1.0) | _acts(["clear"], 0.001)
toggles = _acts(["mark", "mark", "book"], 1.0) | _acts(["clear"], 0.001)
