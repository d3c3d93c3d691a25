from datetime import datetime, timedelta

import msgspec
import pytest

from application.read_availability import FURTHEST
from domain.cache_policy import Freshness
from domain.errors import (
    AvailabilityPending,
    CalendlyUnavailable,
    EventTypeNotFound,
    InvalidRange,
)
from tests.application.building import Product
from tests.application.offering import TOMORROW, Host, host
from tests.application.process import CACHE, Process
from tests.fakes.clock import NOON

A_DAY = timedelta(days=1)
MONTH = timedelta(days=31)


async def starts(process: Process, ada: Host) -> tuple[datetime, ...]:
    """Return when the host is shown to be open tomorrow."""
    view = await process.availability(
        ada.integration.user_id, ada.event_type.uri, TOMORROW, TOMORROW + A_DAY
    )
    return tuple(each.start for each in view.slots)


async def test_open_slots_are_told_with_their_age(product: Product, process: Process) -> None:
    """An answer has the open slots of the range, its age and how far it reaches."""
    ada = await host(product)
    await process.sync(ada.integration.id)
    product.clock.advance(timedelta(minutes=1))

    view = await process.availability(
        ada.integration.user_id, ada.event_type.uri, ada.starts[1], TOMORROW + A_DAY
    )

    assert tuple(each.start for each in view.slots) == ada.starts[1:]
    assert (view.event_type, view.start, view.end) == (
        ada.event_type,
        ada.starts[1],
        TOMORROW + A_DAY,
    )
    assert view.covered_until == NOON + timedelta(minutes=1) + MONTH
    assert (view.age.age_seconds, view.age.freshness) == (60, Freshness.FRESH)


async def test_an_event_type_may_be_named_shortly(product: Product, process: Process) -> None:
    """The last segment of an event type's URI names it as well."""
    ada = await host(product)
    short = ada.event_type.uri.rsplit("/", 1)[-1]

    found = await process.availability.event_type(ada.integration.user_id, short)

    assert found == ada.event_type


async def test_only_own_active_event_types_are_found(product: Product, process: Process) -> None:
    """An inactive event type, and another user's, does not exist."""
    ada, bob = await host(product, "ada"), await host(product, "bob")
    product.calendly.types[ada.integration.account.user_uri] = [
        msgspec.structs.replace(ada.event_type, active=False)
    ]

    for name in (ada.event_type.uri, bob.event_type.uri, ""):
        with pytest.raises(EventTypeNotFound):
            await process.availability(ada.integration.user_id, name, TOMORROW, TOMORROW + A_DAY)


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (TOMORROW, TOMORROW),
        (TOMORROW, TOMORROW - A_DAY),
        (TOMORROW, TOMORROW + MONTH + timedelta(seconds=1)),
        (NOON - timedelta(minutes=2), TOMORROW),
        (TOMORROW.replace(tzinfo=None), TOMORROW),
        (NOON + FURTHEST + A_DAY, NOON + FURTHEST + 2 * A_DAY),
    ],
    ids=["empty", "reversed", "too long", "past", "naive", "too far ahead"],
)
async def test_a_range_is_checked(
    product: Product, process: Process, start: datetime, end: datetime
) -> None:
    """A range that cannot be answered is refused before anything is fetched."""
    ada = await host(product)

    with pytest.raises(InvalidRange):
        await process.availability(ada.integration.user_id, ada.event_type.uri, start, end)

    assert product.calendly.calls.total() == 0


@pytest.mark.parametrize("start", [NOON, NOON - timedelta(minutes=1)])
async def test_the_longest_range_from_now_is_answered(
    product: Product, process: Process, start: datetime
) -> None:
    """A caller whose clock is a moment behind may ask for a month from now."""
    ada = await host(product)

    view = await process.availability(
        ada.integration.user_id, ada.event_type.uri, start, start + MONTH
    )

    assert len(view.slots) == 3


async def test_what_a_known_booking_occupies_is_left_out(
    product: Product, process: Process
) -> None:
    """A slot is not offered once a booking on it is known, whatever the cache still says."""
    ada = await host(product)
    await process.sync(ada.integration.id)
    product.calendly.invitee_books(ada.event_type.uri, ada.starts[1])
    await process.reconcile(ada.integration.id, backfill=True)

    assert await starts(process, ada) == (ada.starts[0], ada.starts[2])


async def test_a_canceled_booking_occupies_nothing(product: Product, process: Process) -> None:
    """The slot of a booking that was canceled is offered again."""
    ada = await host(product)
    await process.sync(ada.integration.id)
    facts = product.calendly.invitee_books(ada.event_type.uri, ada.starts[1])
    product.calendly.invitee_cancels(facts.invitee_uri)
    await process.reconcile(ada.integration.id, backfill=True)

    assert await starts(process, ada) == ada.starts


async def test_a_longer_event_type_leaves_room(product: Product, process: Process) -> None:
    """A slot that would run into a known booking is not offered either."""
    ada = await host(product)
    long = product.calendly.add_event_type(ada.integration.account.user_uri, duration=60)
    product.calendly.open_slots(long.uri, ada.starts)
    await process.sync(ada.integration.id)
    product.calendly.invitee_books(ada.event_type.uri, ada.starts[2])
    await process.reconcile(ada.integration.id, backfill=True)

    view = await process.availability(
        ada.integration.user_id, long.uri, TOMORROW, ada.starts[1] + timedelta(seconds=1)
    )

    assert [each.start for each in view.slots] == [ada.starts[0]]


async def test_a_group_goes_on_offering_its_slot(product: Product, process: Process) -> None:
    """A booking for a group event does not take the slot from the next invitee."""
    ada = await host(product, kind="group")
    await process.sync(ada.integration.id)
    product.calendly.invitee_books(ada.event_type.uri, ada.starts[1])
    await process.reconcile(ada.integration.id, backfill=True)

    assert await starts(process, ada) == ada.starts


async def test_slots_that_could_not_be_fetched_are_pending(
    product: Product, process: Process
) -> None:
    """An event type whose slots never came is not said to have none."""
    ada = await host(product)
    product.calendly.fail_always("available_times", CalendlyUnavailable("down"))

    with pytest.raises(AvailabilityPending) as refusal:
        await starts(process, ada)

    assert refusal.value.retry_after == 5


async def test_an_outage_is_survived_with_the_last_known(
    product: Product, process: Process
) -> None:
    """With Calendly down for more than a day the last known slots are shown, marked as expired."""
    ada = await host(product)
    product.calendly.open_slots(ada.event_type.uri, [NOON + 3 * A_DAY])
    await process.sync(ada.integration.id)
    product.clock.advance(CACHE.ttl + timedelta(minutes=1))
    product.calendly.fail_always("event_types", CalendlyUnavailable("down"))
    product.calendly.fail_always("refresh", CalendlyUnavailable("down"))

    view = await process.availability(
        ada.integration.user_id, ada.event_type.uri, NOON + 2 * A_DAY, NOON + 4 * A_DAY
    )

    assert [each.start for each in view.slots] == [NOON + 3 * A_DAY]
    assert view.age.freshness is Freshness.EXPIRED
