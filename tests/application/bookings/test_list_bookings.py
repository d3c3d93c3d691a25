from datetime import datetime, timedelta

import pytest

from application.bookings.list_bookings import ListBookings
from application.ports.storage.bookings import BookingQuery
from domain.booking import BookingStatus
from domain.ids import BookingId
from tests.application.support.building import Product
from tests.application.support.host_setup import TOMORROW, Host, host
from tests.application.support.process import Process


@pytest.fixture
def bookings(product: Product) -> ListBookings:
    """The use case."""
    return ListBookings(storage=product.storage)


@pytest.fixture
async def ada(product: Product, process: Process) -> Host:
    """A host with seven bookings, two of them at the same time."""
    made = await host(product, kind="group")
    starts = [TOMORROW + timedelta(hours=2 + number) for number in range(4)]
    product.calendly.open_slots(made.event_type.uri, starts, seats=1)
    for start in (made.starts[0], made.starts[0], made.starts[1], *starts):
        product.calendly.invitee_books(made.event_type.uri, start)
    await process.reconcile(made.integration.id, backfill=True)
    return made


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 100])
async def test_pages_show_every_booking_once(
    bookings: ListBookings, ada: Host, limit: int
) -> None:
    """Walking through the pages shows each booking once, by ascending start."""
    seen: list[datetime] = []
    after: tuple[datetime, BookingId] | None = None
    ids: set[BookingId] = set()
    while True:
        query = BookingQuery(limit=limit, after=after)
        page = await bookings(ada.integration.user_id, query)
        seen += [each.booking.facts.details.start for each in page.items]
        ids |= {each.booking.id for each in page.items}
        assert 0 < len(page.items) <= limit  # no page leads to an empty one
        after = page.next
        if after is None:
            break

    assert seen == sorted(seen)
    assert (len(seen), len(ids)) == (7, 7)


async def test_a_query_narrows_the_list(
    product: Product, process: Process, bookings: ListBookings, ada: Host
) -> None:
    """Bookings can be asked for by status and by when they start."""
    first = min(product.calendly.invitees.values(), key=lambda each: each.details.start)
    product.calendly.invitee_cancels(first.invitee_uri)
    await process.reconcile(ada.integration.id, backfill=False)
    user_id = ada.integration.user_id

    canceled = await bookings(user_id, BookingQuery(10, statuses=(BookingStatus.CANCELED,)))
    window = await bookings(
        user_id,
        BookingQuery(10, starts_from=ada.starts[1], starts_before=TOMORROW + timedelta(hours=3)),
    )

    assert [each.booking.facts.invitee_uri for each in canceled.items] == [first.invitee_uri]
    assert [each.booking.facts.details.start for each in window.items] == [
        ada.starts[1],
        TOMORROW + timedelta(hours=2),
    ]


async def test_links_are_resolved_beyond_the_page(
    product: Product, process: Process, bookings: ListBookings
) -> None:
    """A booking names its successor even when that one is on another page."""
    ada = await host(product)
    facts = product.calendly.invitee_books(ada.event_type.uri, ada.starts[0])
    product.calendly.invitee_reschedules(facts.invitee_uri, ada.starts[2])
    await process.reconcile(ada.integration.id, backfill=True)

    page = await bookings(ada.integration.user_id, BookingQuery(limit=1))

    successor = next(each for each in product.storage.state.bookings.values() if each.is_open)
    assert page.items[0].rescheduled_to == successor.id
    assert page.next is not None


async def test_other_users_bookings_are_not_listed(
    product: Product, bookings: ListBookings, ada: Host
) -> None:
    """A user without bookings has an empty list, whatever others have."""
    eve = await product.user("eve")

    page = await bookings(eve, BookingQuery(limit=10))

    assert len((await bookings(ada.integration.user_id, BookingQuery(limit=10))).items) == 7
    assert (page.items, page.next) == ((), None)
