from collections.abc import Iterable, Iterator, Sequence
from itertools import permutations, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.booking import LAG, BookingStatus, Facts, NoShow
from domain.reads import as_read
from domain.reconciliation import Change, Missed, related_events, related_uris, settle
from tests.domain.histories import Act, Calendly, deliveries, histories
from tests.domain.samples import NOW, details, facts, invitee_uri, seconds

A, B, C = (invitee_uri(name, f"E{name}") for name in "ABC")
CANCELED, RESCHEDULED = BookingStatus.CANCELED, BookingStatus.RESCHEDULED


class Store:
    """Bookings by invitee; hands `settle` only the related rows, as the repository does."""

    def __init__(self) -> None:
        self.rows: dict[str, Facts] = {}

    def take_in(self, batch: Sequence[Facts]) -> list[Change]:
        """Settle a batch and write what changed."""
        wanted, events = related_uris(batch), related_events(batch)
        changes = settle(
            {
                uri: row
                for uri, row in self.rows.items()
                if {uri, row.predecessor, row.successor} & wanted or row.event_uri in events
            },
            batch,
        )
        assert [each.before for each in changes] == [
            self.rows.get(each.facts.invitee_uri) for each in changes
        ]
        self.rows.update({each.facts.invitee_uri: each.facts for each in changes})
        return changes


def stored(batches: Iterable[Sequence[Facts]]) -> dict[str, Facts]:
    """Return the bookings after these batches."""
    store = Store()
    for batch in batches:
        store.take_in(batch)
    return store.rows


def one_by_one(bodies: Sequence[Facts]) -> dict[str, Facts]:
    """Return the bookings after each body came once, alone and in order."""
    return stored([body] for body in bodies)


@given(st.data(), histories(shortest=0))
def test_any_order_any_duplication_any_batching_gives_the_same_bookings(
    data: st.DataObject, calendly: Calendly
) -> None:
    """Deliveries in any order, number and batch give the same bookings."""
    batches = data.draw(deliveries(calendly.bodies))

    assert stored(batches) == one_by_one(calendly.bodies)


@given(st.data(), histories(shortest=1))
def test_bookings_end_up_as_calendly_has_them(data: st.DataObject, calendly: Calendly) -> None:
    """Status, both halves of each reschedule, marks and details are in the end the true ones."""
    rows = stored(data.draw(deliveries(calendly.bodies)))

    assert rows.keys() == {seat.uri for seat in calendly.seats}
    for seat in calendly.seats:
        row = rows[seat.uri]
        assert row.status is seat.status
        assert (row.predecessor, row.successor) == (seat.predecessor, seat.successor)
        assert (row.no_show.uri if row.no_show else None) == seat.no_show
        assert row.cancellation == seat.cancellation
        assert row.details == seat.told().details


@given(st.data(), histories(shortest=0))
def test_a_delivery_that_comes_again_changes_nothing(
    data: st.DataObject, calendly: Calendly
) -> None:
    """Once everything is stored, no repetition writes a row."""
    store = Store()
    store.take_in(calendly.bodies)

    assert store.take_in(data.draw(st.permutations(calendly.bodies))) == []


def splits(items: Sequence[Facts]) -> Iterator[list[list[Facts]]]:
    """Yield every way of cutting a sequence into batches."""
    for cuts in product([False, True], repeat=len(items) - 1):
        batches = [[items[0]]]
        for item, cut in zip(items[1:], cuts, strict=True):
            if cut:
                batches.append([])
            batches[-1].append(item)
        yield batches


@pytest.mark.parametrize("told_by", ["both", "older", "newer"])
def test_every_order_of_a_chain_of_reschedules(told_by: str) -> None:
    """All orders and all batchings of two reschedules in a row give one chain of bookings."""
    acts = [Act("book"), Act("move", told_by=told_by), Act("move", told_by=told_by)]
    calendly = Calendly().live(acts)
    expected = one_by_one(calendly.bodies)
    first, second, third = (seat.uri for seat in calendly.seats)

    assert [row.status for row in expected.values()].count(RESCHEDULED) == 2
    assert (expected[second].predecessor, expected[second].successor) == (first, third)
    for order in permutations(calendly.bodies):
        assert all(stored(batches) == expected for batches in splits(order))


def test_a_created_closes_the_one_it_replaces() -> None:
    """The new half of a reschedule closes the old one before its own webhook arrives."""
    older, newer = facts("A", "EA"), facts("B", "EB", predecessor=A)

    rows = one_by_one([older, newer])
    assert (rows[A].status, rows[A].successor) == (RESCHEDULED, B)
    assert rows[B].status is BookingStatus.BOOKED


def test_a_late_created_of_the_old_half_is_no_new_booking() -> None:
    """An old invitee who becomes known only after the reschedule is stored as rescheduled."""
    newer, older = facts("B", "EB", predecessor=A), facts("A", "EA")

    assert one_by_one([newer, older])[A].status is RESCHEDULED


def test_a_successor_learns_its_predecessor() -> None:
    """Both halves are linked even where only the old half names the new one."""
    older = facts("A", "EA", status=RESCHEDULED, successor=B)

    assert one_by_one([older, facts("B", "EB")])[B].predecessor == A
    assert one_by_one([facts("B", "EB"), older])[B].predecessor == A


def test_a_plain_cancellation_of_the_new_half_leaves_the_old_one_rescheduled() -> None:
    """Canceling after a reschedule cancels the new booking and reopens nothing."""
    rows = one_by_one(
        [
            facts("A", "EA", status=RESCHEDULED, successor=B),
            facts("B", "EB", predecessor=A, status=CANCELED),
            facts("A", "EA"),
        ]
    )

    assert (rows[A].status, rows[B].status) == (RESCHEDULED, CANCELED)


def test_one_of_a_group_cancels_alone() -> None:
    """When one invitee of a group event cancels, the others stay booked."""
    calendly = Calendly().live([Act("book"), Act("join"), Act("join"), Act("invitee", which=1)])

    statuses = [row.status for row in one_by_one(calendly.bodies).values()]
    assert statuses.count(CANCELED) == 1
    assert statuses.count(BookingStatus.BOOKED) == 2


def test_a_host_cancels_for_all_invitees() -> None:
    """When the host cancels a group event, each invitee's booking is canceled."""
    calendly = Calendly().live([Act("book"), Act("join"), Act("host")])

    assert {row.status for row in one_by_one(calendly.bodies).values()} == {CANCELED}


def test_relatives_are_named() -> None:
    """To settle facts one needs the invitees themselves and those they name."""
    middle = facts("B", "EB", predecessor=A, successor=C, status=RESCHEDULED)

    assert related_uris([middle]) == {A, B, C}
    assert related_uris([facts("A", "EA")]) == {A}
    assert related_uris([]) == set()


def test_changes_come_in_one_sorted_order() -> None:
    """Rows are written by ascending invitee, so that two writers never wait for each other."""
    observed = [facts(name, f"E{name}") for name in "CAB"]

    assert [each.facts.invitee_uri for each in settle({}, observed)] == [A, B, C]


MARKED = facts(no_show=NoShow(at=NOW, uri="n1"))


def test_what_was_not_seen_is_no_longer_set() -> None:
    """A read that shows no mark outdates older marks, before or after them, and leaves newer."""
    seen_none = as_read(facts(), NOW + LAG + seconds(1))
    newer = facts(no_show=NoShow(at=NOW + seconds(1), uri="n2"))

    for order in permutations([MARKED, seen_none]):
        (change,) = settle({}, order)
        assert change.facts.no_show == NoShow(at=NOW + seconds(1), uri=None)
    for order in permutations([newer, seen_none]):
        (change,) = settle({}, order)
        assert change.facts.no_show == newer.no_show


def test_a_booking_without_a_mark_is_not_written_again() -> None:
    """A read that shows no mark where none is known changes no row."""
    assert settle({invitee_uri("A"): facts()}, [as_read(facts(), NOW + seconds(999))]) == []


def test_a_mark_that_calendly_still_shows_was_set_after_the_end_of_another() -> None:
    """A read within the second in which a mark was taken back shows that another one is set."""
    ended = facts(no_show=NoShow(at=NOW, uri=None))
    again = facts(no_show=NoShow(at=NOW + seconds(0.9), uri="n2"))
    store = Store()
    store.take_in([ended])

    assert store.take_in([again]) == []
    (change,) = store.take_in([as_read(again, NOW + LAG + seconds(9))])
    assert change.facts.no_show == NoShow(at=NOW + seconds(1), uri="n2")
    assert store.take_in([as_read(again, NOW + LAG + seconds(99))]) == []


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_the_late_webhook_of_a_mark_does_not_outlive_its_end(order: tuple[int, ...]) -> None:
    """A mark set and taken back within one second is gone, in any order of the webhooks."""
    marked = facts(no_show=NoShow(at=NOW + seconds(0.2), uri="n1"))
    ended = facts(no_show=NoShow(at=NOW, uri=None))  # its webhook has whole seconds
    webhooks = [facts(), marked, ended]

    rows = one_by_one([webhooks[each] for each in order])
    assert rows[invitee_uri("A")].no_show == ended.no_show


HOSTED = facts(details=details(host_uris=("ada",)))
MOVED = facts(details=details(host_uris=("bob",)))
BACK_THEN = facts(details=details(updated_at=NOW - seconds(1), host_uris=("ada",)))


def test_what_a_read_says_replaces_what_is_not_newer() -> None:
    """An event's new host is taken over although the event says nothing of having changed."""
    store = Store()
    store.take_in([HOSTED])
    store.take_in([as_read(MOVED, NOW + LAG)])
    given = store.rows[invitee_uri("A")].details

    assert given == details(host_uris=("bob",))
    assert store.take_in([HOSTED]) == store.take_in([BACK_THEN]) == []
    store.take_in([as_read(HOSTED, NOW + LAG + seconds(5))])
    assert store.rows[invitee_uri("A")].details == details(
        updated_at=NOW + seconds(5), host_uris=("ada",)
    )


def test_what_may_be_newer_than_a_read_stays() -> None:
    """A read that began before the last known change overrules nothing."""
    (change,) = settle({}, [HOSTED])

    assert (
        settle({invitee_uri("A"): change.facts}, [as_read(BACK_THEN, NOW + LAG - seconds(1))])
        == []
    )


@given(st.data(), histories(shortest=1))
def test_after_a_read_all_is_right_whatever_was_lost(
    data: st.DataObject, calendly: Calendly
) -> None:
    """Any part of the webhooks in any order, and then one look at Calendly, tells the truth."""
    store = Store()
    for body in data.draw(st.lists(st.sampled_from(calendly.bodies))):
        store.take_in([body])
    asked_at = calendly.now + LAG + seconds(2)

    store.take_in([as_read(seat.read(), asked_at) for seat in calendly.seats])

    for seat in calendly.seats:
        row = store.rows[seat.uri]
        assert (row.status, row.details) == (seat.status, seat.told().details)
        assert (row.no_show.uri if row.no_show else None) == seat.no_show


def test_one_delivery_settles_a_canceled_event() -> None:
    """A canceled event cancels all its bookings in any order, and no booking of another event."""
    canceled = facts("A", status=CANCELED, event_canceled_at=NOW + seconds(9))
    rescheduled = facts("C", status=RESCHEDULED)
    bodies = [facts("A"), facts("B"), rescheduled, facts("D", "E2"), canceled]

    expected = one_by_one(bodies)

    assert {uri.rpartition("/")[2]: row.status for uri, row in expected.items()} == {
        "A": CANCELED,
        "B": CANCELED,
        "C": RESCHEDULED,
        "D": BookingStatus.BOOKED,
    }
    for order in permutations(bodies):
        assert one_by_one(order) == stored([order]) == expected


def test_change_by_a_canceled_event_has_its_time() -> None:
    """A booking that its event cancels was canceled at the time of the event's cancellation."""
    at = NOW + seconds(9)
    known = {facts(name).invitee_uri: facts(name) for name in "AB"}

    _, other = settle(known, [facts("A", status=CANCELED, event_canceled_at=at)])

    assert other.facts.cancellation is None
    assert other.missed == (Missed(at, frozenset({"invitee.canceled"})),)


def test_related_events_are_canceled_once_one_of_the_facts_says_so() -> None:
    """Of several facts about one event, one that says the event is canceled is enough."""
    batch = [facts("A", event_canceled_at=NOW), facts("B"), facts("C", "E2")]

    assert list(related_events(batch).values()) == [True, False]
