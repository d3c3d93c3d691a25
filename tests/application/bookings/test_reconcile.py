import asyncio
from datetime import timedelta

import pytest
from msgspec.structs import replace

from application.bookings.read_pages import MAX_WAITS
from domain.booking import LAG, BookingStatus
from domain.errors import (
    CalendlyForbidden,
    CalendlyProtocolError,
    CalendlyThrottled,
    IntegrationNotFound,
)
from domain.ids import IntegrationId
from domain.reconciliation import IN_FLIGHT
from domain.sweep_window import Reach
from tests.application.support.building import Product
from tests.application.support.host_setup import Host, host, invalidations, subscribe
from tests.application.support.process import REACHES, Process
from tests.fakes.clock import NOON


@pytest.fixture
async def ada(product: Product) -> Host:
    """A host with a webhook subscription."""
    made = await host(product)
    await subscribe(product, made)
    return made


def statuses(product: Product) -> list[BookingStatus]:
    """Return the status of each booking, by its invitee."""
    stored = product.storage.state.bookings
    return [stored[key].facts.status for key in sorted(stored)]


async def test_a_back_fill_is_no_repair(product: Product, process: Process, ada: Host) -> None:
    """Bookings from before the connection are stored and count as no loss."""
    for start in ada.starts:
        product.calendly.invitee_books(ada.event_type.uri, start)

    assert await process.reconcile(ada.integration.id, backfill=True) == 3

    assert statuses(product) == [BookingStatus.BOOKED] * 3
    assert product.telemetry.seen == {}
    row = product.storage.state.integrations[ada.integration.id]
    assert row.value.reconciled_at == NOON
    assert invalidations(product, ada) == {(NOON, "reconciliation")}


async def test_every_page_is_read(product: Product, process: Process, ada: Host) -> None:
    """Any number of bookings is stored completely."""
    product.calendly.page_size = 1
    for start in ada.starts:
        product.calendly.invitee_books(ada.event_type.uri, start)

    assert await process.reconcile(ada.integration.id, backfill=True) == 3
    assert product.calendly.calls["page"] == 3


async def test_what_a_lost_webhook_left_wrong_is_repaired(
    product: Product, process: Process, ada: Host
) -> None:
    """A missed booking and a missed cancellation are repaired and counted."""
    first = product.calendly.invitee_books(ada.event_type.uri, ada.starts[0])
    await process.reconcile(ada.integration.id, backfill=True)
    product.clock.advance(timedelta(hours=1))
    product.calendly.invitee_cancels(first.invitee_uri)
    product.calendly.invitee_books(ada.event_type.uri, ada.starts[1])
    product.clock.advance(IN_FLIGHT)

    assert await process.reconcile(ada.integration.id, backfill=False) == 2

    assert statuses(product) == [BookingStatus.CANCELED, BookingStatus.BOOKED]
    assert product.telemetry.seen[("bookings_repaired",)] == 2


async def test_what_has_just_happened_raises_no_alarm(
    product: Product, process: Process, ada: Host
) -> None:
    """A change whose webhook may still be in flight is merged, and no webhook counts as lost."""
    first = product.calendly.invitee_books(ada.event_type.uri, ada.starts[0])
    await process.reconcile(ada.integration.id, backfill=True)
    product.clock.advance(timedelta(hours=1))
    product.calendly.invitee_reschedules(first.invitee_uri, ada.starts[1])
    product.calendly.invitee_books(ada.event_type.uri, ada.starts[2])
    product.clock.advance(IN_FLIGHT - timedelta(seconds=1))

    assert await process.reconcile(ada.integration.id, backfill=False) == 0

    assert sorted(statuses(product)) == [
        BookingStatus.BOOKED,
        BookingStatus.BOOKED,
        BookingStatus.RESCHEDULED,
    ]
    assert product.telemetry.seen == {}
    assert invalidations(product, ada) == {(product.clock.now(), "reconciliation")}


@pytest.mark.parametrize(("after", "marked"), [(LAG, True), (LAG + timedelta(seconds=1), False)])
async def test_a_mark_whose_end_was_lost_is_taken_back(
    product: Product, process: Process, ada: Host, after: timedelta, marked: bool
) -> None:
    """A no-show mark that a later read does not show is gone; one that may be newer stays."""
    facts = product.calendly.invitee_books(ada.event_type.uri, ada.starts[0])
    await process.reconcile(ada.integration.id, backfill=True)
    product.clock.advance(timedelta(hours=1))
    access = product.calendly.access(ada.integration.account.user_uri)
    mark = await product.calendly.mark_no_show(access, facts.invitee_uri)
    await process.reconcile(ada.integration.id, backfill=False)
    assert mark.uri is not None
    await product.calendly.clear_no_show(access, mark.uri)
    product.clock.advance(after)

    await process.reconcile(ada.integration.id, backfill=False)

    (stored,) = product.storage.state.bookings.values()
    assert stored.facts.no_show is not None
    assert (stored.facts.no_show.uri == mark.uri) is marked
    assert stored.facts.seen is None


async def test_a_repeated_page_token_ends_the_run(
    product: Product, process: Process, ada: Host
) -> None:
    """A repeated page token ends the run instead of repeating it forever."""
    product.calendly.invitee_books(ada.event_type.uri, ada.starts[0])
    product.calendly.page_size = 0  # each page names itself as the next one

    with pytest.raises(CalendlyProtocolError):
        await process.reconcile(ada.integration.id, backfill=True)

    assert (await product.stored(ada.integration.id)).reconciled_at is None


async def test_when_all_is_well_nothing_is_repaired(
    product: Product, process: Process, ada: Host
) -> None:
    """A sweep over known bookings changes nothing, invalidates nothing and raises no alarm."""
    product.calendly.invitee_books(ada.event_type.uri, ada.starts[0])
    await process.reconcile(ada.integration.id, backfill=True)
    before = dict(product.storage.state.bookings)
    product.clock.advance(timedelta(hours=1))

    assert await process.reconcile(ada.integration.id, backfill=False) == 0

    assert product.storage.state.bookings == before
    row = product.storage.state.integrations[ada.integration.id]
    assert invalidations(product, ada) == {(NOON, "reconciliation")}
    assert row.value.reconciled_at == product.clock.now()
    assert product.telemetry.seen == {}


async def test_fuller_facts_are_no_repair(product: Product, process: Process, ada: Host) -> None:
    """A detail that no webhook carries is taken over without an alarm."""
    facts = product.calendly.invitee_books(ada.event_type.uri, ada.starts[0])
    await process.reconcile(ada.integration.id, backfill=True)
    product.clock.advance(timedelta(hours=1))
    await product.calendly.mark_no_show(
        product.calendly.access(ada.integration.account.user_uri), facts.invitee_uri
    )
    product.clock.advance(IN_FLIGHT)
    assert await process.reconcile(ada.integration.id, backfill=False) == 1
    marked = product.calendly.known(facts.invitee_uri)
    renamed = replace(marked.details, updated_at=product.clock.now(), event_name="New name")
    product.calendly.put(replace(marked, details=renamed))

    repaired = await process.reconcile(ada.integration.id, backfill=False)

    assert repaired == 0
    (stored,) = product.storage.state.bookings.values()
    assert stored.facts.details.event_name == "New name"


@pytest.mark.parametrize(
    ("how", "reach"),
    [
        ({"backfill": True}, REACHES.wide),
        ({"backfill": False, "wide": True}, REACHES.wide),
        ({"backfill": False}, REACHES.usual),
    ],
)
async def test_a_sweep_reaches_so_far(
    product: Product, process: Process, ada: Host, how: dict[str, bool], reach: Reach
) -> None:
    """Bookings that start within the window are compared, others are left alone."""
    inside = [NOON - reach.before, NOON + reach.after - timedelta(minutes=30)]
    outside = [NOON - reach.before - timedelta(minutes=30), NOON + reach.after]
    product.calendly.open_slots(ada.event_type.uri, [*inside, *outside])
    for start in (*inside, *outside):
        product.calendly.invitee_books(ada.event_type.uri, start)

    await process.reconcile(ada.integration.id, **how)

    known = [each.facts.details.start for each in product.storage.state.bookings.values()]
    assert sorted(known) == inside


@pytest.mark.parametrize(
    ("later", "longer"), [(timedelta(hours=3), timedelta()), (timedelta(), timedelta(hours=1))]
)
async def test_other_times_invalidate_the_cache(
    product: Product, process: Process, ada: Host, later: timedelta, longer: timedelta
) -> None:
    """A booking that only has new times is not a repair, but it invalidates the cache."""
    facts = product.calendly.invitee_books(ada.event_type.uri, ada.starts[0])
    await process.reconcile(ada.integration.id, backfill=True)
    product.clock.advance(timedelta(hours=1))
    start, end = facts.details.start + later, facts.details.end + later + longer
    moved = replace(facts.details, updated_at=product.clock.now(), start=start, end=end)
    product.calendly.put(replace(facts, details=moved))

    assert await process.reconcile(ada.integration.id, backfill=False) == 0

    (stored,) = product.storage.state.bookings.values()
    assert (stored.facts.details.start, stored.facts.details.end) == (start, end)
    assert invalidations(product, ada) == {(product.clock.now(), "reconciliation")}


async def test_an_interrupted_sweep_keeps_what_it_repaired(
    product: Product, process: Process, ada: Host
) -> None:
    """The results of the first pages are kept, and the run does not count as complete."""
    product.calendly.page_size = 1
    for start in ada.starts:
        product.calendly.invitee_books(ada.event_type.uri, start)

    hold = product.calendly.hold_next("page")
    task = asyncio.create_task(process.reconcile(ada.integration.id, backfill=True))
    await hold.reached.wait()
    second = product.calendly.hold_next("page")
    hold.release()
    await second.reached.wait()
    product.calendly.fail_next("page", CalendlyForbidden("no"))
    second.release()
    with pytest.raises(CalendlyForbidden):
        await task

    assert len(product.storage.state.bookings) == 1
    assert (await product.stored(ada.integration.id)).reconciled_at is None


async def test_a_spent_budget_is_waited_for(product: Product, process: Process, ada: Host) -> None:
    """A sweep that runs into Calendly's limit goes on with the same page, not from the start."""
    product.calendly.page_size = 1
    for start in ada.starts:
        product.calendly.invitee_books(ada.event_type.uri, start)
    throttled = CalendlyThrottled("slow down", retry_after=30)
    product.calendly.fail_next("page", throttled, times=MAX_WAITS - 1)

    assert await process.reconcile(ada.integration.id, backfill=True) == 3
    assert product.calendly.calls["page"] == MAX_WAITS - 1 + 3


async def test_a_limit_that_stays_ends_the_sweep(
    product: Product, process: Process, ada: Host
) -> None:
    """A sweep does not wait for ever."""
    throttled = CalendlyThrottled("slow down", retry_after=30)
    product.calendly.fail_next("page", throttled, times=MAX_WAITS)

    with pytest.raises(CalendlyThrottled):
        await process.reconcile(ada.integration.id, backfill=False)

    assert product.calendly.calls["page"] == MAX_WAITS


async def test_an_absent_integration_is_not_found(product: Product, process: Process) -> None:
    """There is nothing to compare for an integration that does not exist."""
    with pytest.raises(IntegrationNotFound):
        await process.reconcile(IntegrationId(product.randomness.new_id()), backfill=False)
