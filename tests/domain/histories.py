"""Generated lives of bookings at Calendly, in the form of its webhooks.

`Calendly` lives through acts and keeps, beside the truth, every body it would have sent. Each body
holds the facts about one invitee at that moment (Calendly: reschedules are two deliveries; a group
event is one delivery an invitee).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from hypothesis import strategies as st
from msgspec.structs import replace

from domain.booking import BookingStatus, Cancellation, Facts, Location, NoShow
from tests.domain.samples import NOW, details, facts, invitee_uri

ACTS = ("book", "join", "host", "invitee", "move", "mark", "clear", "edit", "read")
HALVES = ("both", "older", "newer")


@dataclass(frozen=True)
class Act:
    """One thing that happens: what, to which of those it may happen to, how long after."""

    kind: str
    which: int = 0
    after: int = 1
    told_by: str = "both"


@dataclass
class Seat:
    """The truth about one invitee, and which of its links Calendly mentions."""

    name: str
    event: str
    made: datetime
    changed: datetime
    status: BookingStatus = BookingStatus.BOOKED
    cancellation: Cancellation | None = None
    predecessor: str | None = None
    successor: str | None = None
    tells_predecessor: bool = True
    tells_successor: bool = True
    no_show: str | None = None
    no_show_at: datetime | None = None
    link: str | None = None

    @property
    def uri(self) -> str:
        """Calendly's name for the invitee."""
        return invitee_uri(self.name, self.event)

    def read(self) -> Facts:
        """Return what the API says of this invitee now: no trace of a mark that is gone."""
        return replace(self.told(), predecessor=self.predecessor, successor=self.successor)

    def told(self, toggle: NoShow | None = None) -> Facts:
        """Return what a body about this invitee says now."""
        if toggle is None and self.no_show and self.no_show_at:
            toggle = NoShow(at=self.no_show_at, uri=self.no_show)
        return facts(
            self.name,
            self.event,
            status=self.status,
            created_at=self.made,
            details=details(
                updated_at=self.changed, location=Location(kind="zoom", join_url=self.link)
            ),
            cancellation=self.cancellation,
            predecessor=self.predecessor if self.tells_predecessor else None,
            successor=self.successor if self.tells_successor else None,
            no_show=toggle,
        )


@dataclass
class Calendly:
    """The seats there are, and every body about them in the order of events."""

    now: datetime = NOW
    seats: list[Seat] = field(default_factory=list)
    bodies: list[Facts] = field(default_factory=list)

    def live(self, acts: Sequence[Act]) -> "Calendly":
        """Let the acts happen one after another; one that cannot happen does not."""
        for act in acts:
            self.now += timedelta(seconds=act.after)
            candidates = self._candidates(act.kind)
            if act.kind == "book":
                self._book(f"E{len(self.seats)}")
            elif candidates:
                self._happens(act, candidates[act.which % len(candidates)])
        return self

    def _candidates(self, kind: str) -> list[Seat]:
        if kind in {"mark", "clear"}:
            return [each for each in self.seats if bool(each.no_show) is (kind == "clear")]
        if kind == "read":
            return self.seats
        return [each for each in self.seats if each.status is BookingStatus.BOOKED]

    def _happens(self, act: Act, seat: Seat) -> None:
        if act.kind == "join":
            self._book(seat.event)
        elif act.kind == "host":
            for each in self._candidates(act.kind):
                if each.event == seat.event:
                    self._cancel(each, "host")
        elif act.kind == "invitee":
            self._cancel(seat, "invitee")
        elif act.kind == "move":
            self._move(seat, act.told_by)
        else:
            self._note(act.kind, seat)

    def _book(self, event: str, predecessor: Seat | None = None) -> Seat:
        seat = Seat(f"I{len(self.seats)}", event, made=self.now, changed=self.now)
        if predecessor is not None:
            seat.predecessor = predecessor.uri
        self.seats.append(seat)
        if predecessor is None:
            self.bodies.append(seat.told())
        return seat

    def _cancel(self, seat: Seat, by: str) -> None:
        seat.status, seat.changed = BookingStatus.CANCELED, self.now
        seat.cancellation = Cancellation(at=self.now, by=by, by_kind=by)
        self.bodies.append(seat.told())

    def _move(self, seat: Seat, told_by: str) -> None:
        newer = self._book(f"E{len(self.seats)}", predecessor=seat)
        newer.tells_predecessor = told_by != "older"
        seat.status, seat.changed, seat.successor = BookingStatus.RESCHEDULED, self.now, newer.uri
        seat.tells_successor = told_by != "newer"
        seat.cancellation = Cancellation(at=self.now, by="Ada", by_kind="invitee")
        self.bodies += [seat.told(), newer.told()]

    def _note(self, kind: str, seat: Seat) -> None:
        toggle = None
        if kind == "mark":
            seat.no_show, seat.no_show_at = f"no-show-{len(self.bodies)}", self.now
        elif kind == "clear":
            seat.no_show, seat.no_show_at = None, self.now
            toggle = NoShow(at=self.now, uri=None)
        elif kind == "edit":
            seat.link, seat.changed = f"https://zoom.example/{len(self.bodies)}", self.now
        self.bodies.append(seat.told(toggle))


def histories(shortest: int) -> st.SearchStrategy[Calendly]:
    """Return lives of bookings whose acts lie at least so many seconds apart."""
    acts = st.builds(
        Act,
        kind=st.sampled_from(ACTS),
        which=st.integers(0, 5),
        after=st.integers(shortest, 2),
        told_by=st.sampled_from(HALVES),
    )
    return st.lists(acts, max_size=9).map(lambda rest: Calendly().live([Act("book"), *rest]))


@st.composite
def deliveries(draw: st.DrawFn, bodies: Sequence[Facts]) -> list[list[Facts]]:
    """Return the bodies in any order, some more than once, in batches of any size."""
    repeated = draw(st.lists(st.sampled_from(bodies), max_size=len(bodies)))
    queue = draw(st.permutations([*bodies, *repeated]))
    batches: list[list[Facts]] = []
    while queue:
        size = draw(st.integers(1, len(queue)))
        batches.append(list(queue[:size]))
        queue = queue[size:]
    return batches
