import asyncio
from datetime import timedelta

import pytest
from msgspec.structs import replace

from domain.booking import BookingStatus, Location
from domain.errors import CalendlyForbidden
from domain.integration import Gap
from domain.reconciliation import IN_FLIGHT
from tests.application.support.building import Product
from tests.application.support.host_setup import Host, host, subscribe
from tests.application.support.process import REACHES, Process
from tests.fakes.clock import NOON


@pytest.fixture
async def ada(product: Product) -> Host:
    """A host with a webhook subscription."""
    made = await host(product)
    await subscribe(product, made)
    return made


async def gap(product: Product, ada: Host, since: timedelta) -> Gap:
    """Let deliveries have been lost from so long ago until now."""
    made = Gap(since=product.clock.now() - since, until=product.clock.now())
    async with product.storage() as uow:
        await uow.integrations.put_gap(ada.integration.id, made)
        await uow.commit()
    return made


async def test_what_fell_into_a_gap_was_lost_however_new_it_is(
    product: Product, process: Process, ada: Host
) -> None:
    """A webhook that Calendly gave up on is counted immediately."""
    await process.reconcile(ada.integration.id, backfill=True)
    product.clock.advance(timedelta(hours=1))
    product.calendly.invitee_books(ada.event_type.uri, ada.starts[0])
    await gap(product, ada, timedelta(hours=1))
    product.clock.advance(timedelta(seconds=1))
    product.calendly.invitee_books(ada.event_type.uri, ada.starts[1])

    assert await process.reconcile(ada.integration.id, backfill=False) == 1

    assert all(
        each.facts.status is BookingStatus.BOOKED
        for each in product.storage.state.bookings.values()
    )
    stored = await product.stored(ada.integration.id)
    assert (stored.gap, stored.repaired_count) == (None, 1)
    assert stored.last_repaired_at == product.clock.now()


async def test_a_gap_is_made_up_for_however_far_ahead_was_booked(
    product: Product, process: Process, ada: Host
) -> None:
    """Bookings made or marked in a gap are found, also outside the usual window."""
    await process.reconcile(ada.integration.id, backfill=True)
    product.clock.advance(timedelta(days=100))
    far = product.clock.now() + REACHES.wide.after - timedelta(days=1)
    long_past = NOON + timedelta(days=1)
    product.calendly.open_slots(ada.event_type.uri, [far, long_past])
    for start in (far, long_past):
        product.calendly.invitee_books(ada.event_type.uri, start)
    await gap(product, ada, timedelta(days=100))

    assert await process.reconcile(ada.integration.id, backfill=False) == 2


async def test_a_gap_that_opens_during_a_sweep_stays_open(
    product: Product, process: Process, ada: Host
) -> None:
    """A sweep that began before the gap has not made up for it."""
    hold = product.calendly.hold_next("page")
    task = asyncio.create_task(process.reconcile(ada.integration.id, backfill=False))
    await hold.reached.wait()
    opened = await gap(product, ada, timedelta(hours=1))
    hold.release()
    await task

    assert (await product.stored(ada.integration.id)).gap == opened


async def test_repairs_of_a_sweep_that_breaks_off_are_counted(
    product: Product, process: Process, ada: Host
) -> None:
    """Repairs of the first page are counted even if the second page is refused."""
    await process.reconcile(ada.integration.id, backfill=True)
    product.calendly.page_size = 1
    for start in ada.starts:
        product.calendly.invitee_books(ada.event_type.uri, start)
    product.clock.advance(IN_FLIGHT)
    hold = product.calendly.hold_next("page")
    task = asyncio.create_task(process.reconcile(ada.integration.id, backfill=False))
    await hold.reached.wait()
    second = product.calendly.hold_next("page")
    hold.release()
    await second.reached.wait()
    product.calendly.fail_next("page", CalendlyForbidden("no"))
    second.release()
    with pytest.raises(CalendlyForbidden):
        await task

    assert product.telemetry.seen[("bookings_repaired",)] == 1
    assert (await product.stored(ada.integration.id)).repaired_count == 1
    assert await process.reconcile(ada.integration.id, backfill=False) == 2
    assert (await product.stored(ada.integration.id)).repaired_count == 3


async def test_a_link_that_came_late_is_picked_up(
    product: Product, process: Process, ada: Host
) -> None:
    """A conference's link, which no webhook reports, is stored by the next run."""
    facts = product.calendly.invitee_books(ada.event_type.uri, ada.starts[0])
    await process.reconcile(ada.integration.id, backfill=True)
    location = Location(kind="zoom", join_url="https://zoom.example/1")
    product.calendly.put(replace(facts, details=replace(facts.details, location=location)))

    assert await process.reconcile(ada.integration.id, backfill=False) == 0

    (stored,) = product.storage.state.bookings.values()
    assert stored.facts.details.location == location
    assert product.telemetry.seen == {}


async def test_a_link_that_came_late_hides_no_lost_webhook(
    product: Product, process: Process, ada: Host
) -> None:
    """A removed mark without a webhook counts as lost, also if a link is new."""
    facts = product.calendly.invitee_books(ada.event_type.uri, ada.starts[0])
    access = product.calendly.access(ada.integration.account.user_uri)
    await product.calendly.mark_no_show(access, facts.invitee_uri)
    product.clock.advance(IN_FLIGHT)
    await process.reconcile(ada.integration.id, backfill=True)
    product.clock.advance(timedelta(hours=1))
    location = Location(kind="zoom", join_url="https://zoom.example/1")
    product.calendly.put(replace(facts, details=replace(facts.details, location=location)))

    assert await process.reconcile(ada.integration.id, backfill=False) == 1

    (stored,) = product.storage.state.bookings.values()
    assert stored.facts.details.location == location
    assert stored.facts.no_show is not None
    assert stored.facts.no_show.uri is None


async def test_an_unreadable_invitee_is_skipped_and_counted(
    product: Product, process: Process, ada: Host
) -> None:
    """An unreadable invitee hides no other invitee, and is counted for the operator."""
    unreadable = product.calendly.invitee_books(ada.event_type.uri, ada.starts[0])
    product.calendly.invitee_books(ada.event_type.uri, ada.starts[1])
    product.calendly.unreadable.add(unreadable.invitee_uri)

    assert await process.reconcile(ada.integration.id, backfill=True) == 1

    assert product.telemetry.seen == {("bookings_unreadable",): 1}
    assert (await product.stored(ada.integration.id)).reconciled_at == NOON
