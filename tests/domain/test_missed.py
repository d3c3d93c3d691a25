from datetime import datetime

import pytest

from domain.booking import LAG, BookingStatus, Cancellation, Facts, NoShow
from domain.reads import as_read
from domain.reconciliation import Missed, settle
from tests.domain.samples import NOW, details, facts, invitee_uri, seconds

A = invitee_uri("A", "EA")
CANCELED, RESCHEDULED = BookingStatus.CANCELED, BookingStatus.RESCHEDULED
MARKED = facts(no_show=NoShow(at=NOW, uri="n1"))
CLEARED = facts(no_show=NoShow(at=NOW + seconds(1), uri=None))


@pytest.mark.parametrize(
    ("before", "after", "repair"),
    [
        (None, facts(), True),
        (facts(), facts(status=CANCELED), True),
        (facts(), MARKED, True),
        (MARKED, CLEARED, True),
        (facts(), CLEARED, False),
        (facts(), facts(details=details(event_name="Longer demo")), False),
        (facts(), facts(reference="sk_1"), False),
    ],
)
def test_a_repair_corrects_what_readers_saw(
    before: Facts | None, after: Facts, repair: bool
) -> None:
    """A booking, status or mark that was missed is a repair; a changed detail is none."""
    known = {} if before is None else {before.invitee_uri: before}
    (change,) = settle(known, [after])

    assert bool(change.missed) is repair


CREATED, LEFT = "invitee.created", "invitee.canceled"
MARK, UNMARK = "invitee_no_show.created", "invitee_no_show.deleted"
CALLED_OFF = Cancellation(NOW + seconds(2), "Ada", "host")


@pytest.mark.parametrize(
    ("known", "observed", "missed"),
    [
        (None, facts(created_at=NOW + seconds(1)), [(1, {CREATED})]),
        (None, facts(status=CANCELED, cancellation=CALLED_OFF), [(0, {CREATED}), (2, {LEFT})]),
        (facts(), facts(status=CANCELED, cancellation=CALLED_OFF), [(2, {LEFT})]),
        (
            facts(),
            facts(status=CANCELED, details=details(updated_at=NOW + seconds(3))),
            [(3, {LEFT})],
        ),
        (facts(), facts(status=RESCHEDULED, cancellation=CALLED_OFF), [(2, {LEFT, CREATED})]),
        (facts(), MARKED, [(0, {MARK})]),
        (MARKED, CLEARED, [(0, {UNMARK})]),
        (facts(), facts(details=details(event_name="Longer demo")), []),
    ],
)
def test_what_was_missed_is_known_with_its_time_and_its_webhook(
    known: Facts | None, observed: Facts, missed: list[tuple[float, set[str]]]
) -> None:
    """Which webhook had to tell something, and when, says whether it was lost."""
    (change,) = settle({} if known is None else {known.invitee_uri: known}, [observed])

    assert change.missed == tuple(Missed(NOW + seconds(at), frozenset(k)) for at, k in missed)


def test_a_reschedule_happened_when_its_new_half_was_made() -> None:
    """The older half of a reschedule that says nothing itself is as new as its successor."""
    newer = facts("B", "EB", predecessor=A, created_at=NOW + seconds(9))

    changes = settle({A: facts("A", "EA")}, [newer])

    assert [each.at for change in changes for each in change.missed] == [NOW + seconds(9)] * 2


@pytest.mark.parametrize(
    ("known", "now", "at"),
    [
        (MARKED, facts(details=details(updated_at=NOW, host_uris=("bob",))), NOW),
        (
            facts(no_show=MARKED.no_show, details=details(updated_at=NOW + seconds(9))),
            facts(details=details(updated_at=NOW + seconds(5), host_uris=("bob",))),
            NOW + seconds(9),
        ),
        (facts(), facts(status=CANCELED, details=details(host_uris=("bob",))), NOW),
    ],
)
def test_what_a_read_dates_by_its_question_happened_no_later_for_it(
    known: Facts, now: Facts, at: datetime
) -> None:
    """The end of a mark, or a cancellation, is as old as Calendly says, whatever came beside."""
    (change,) = settle({known.invitee_uri: known}, [as_read(now, NOW + seconds(3600))])

    assert change.facts.details.host_uris == ("bob",)
    assert change.facts.details.updated_at == NOW + seconds(3600) - LAG
    assert [each.at for each in change.missed] == [at]
