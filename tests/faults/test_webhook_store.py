from collections import Counter
from uuid import UUID

from domain.ids import IntegrationId
from tests.faults.webhook_lives import Post, Seat
from tests.faults.webhook_store import Stored

ADA = IntegrationId(UUID(int=1))
BOB = IntegrationId(UUID(int=2))
BOOKED = Seat("booked", no_show=False, predecessor=None, successor=None, canceled_at=None)
MISSED = BOOKED._replace(no_show=True)


def stored(*posts: Post) -> Stored:
    """Return the content of a database that stored these, and no booking."""
    return Stored(Counter((each.host, each.body) for each in posts), Counter(), {})


def test_a_delivery_stored_under_another_host_is_lost() -> None:
    """An answered delivery counts as kept only under the host that it concerns."""
    kept, strayed = Post(b"one", "/", ADA), Post(b"two", "/", ADA)
    found = stored(kept, strayed._replace(host=BOB))

    assert found.lost([kept, strayed]) == 1
    assert found.doubled == 0


def test_what_is_stored_twice_is_doubled() -> None:
    """A second event that says the same is one too many."""
    post = Post(b"one", "/", ADA)
    found = stored(post, post)

    assert found.lost([post]) == 0
    assert found.doubled == 1


def test_a_booking_is_wrong_when_it_differs_is_missing_or_is_unknown() -> None:
    """The bookings equal the truth only when neither side has anything of its own."""
    truth = {(ADA, "same"): BOOKED, (ADA, "differs"): BOOKED, (BOB, "missing"): BOOKED}
    seats = {(ADA, "same"): BOOKED, (ADA, "differs"): MISSED, (BOB, "invented"): BOOKED}
    found = Stored(Counter(), Counter(), seats)

    assert found.wrong(truth) == 3
    assert found.wrong(truth, but=BOB) == 1
