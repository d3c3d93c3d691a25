from datetime import datetime, timedelta

import msgspec
import pytest

from application.availability.retry_times import RETRY_AFTER
from application.ports.storage.availability_cache import CacheKey, CacheKind
from domain.cache_policy import Freshness
from domain.errors import (
    AvailabilityPending,
    CalendarBroken,
    CalendlyError,
    CalendlyForbidden,
    CalendlyNotFound,
    CalendlyUnavailable,
    EventTypeNotFound,
    InvalidRange,
    SlotkeeperError,
)
from tests.application.support.building import Product
from tests.application.support.host_setup import A_DAY, A_MOMENT, TOMORROW, Host, host
from tests.application.support.process import AVAILABILITY_HORIZON, CACHE, Process
from tests.fakes.clock import NOON

MONTH = timedelta(days=31)


async def starts(process: Process, ada: Host) -> tuple[datetime, ...]:
    """Return when the host is shown to be open tomorrow."""
    view = await process.availability(
        ada.integration.user_id, ada.event_type.uri, TOMORROW, TOMORROW + A_DAY
    )
    return tuple(each.start for each in view.slots)


async def test_open_slots_have_their_age(product: Product, process: Process) -> None:
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
    assert (view.age.fetched_at, view.age.freshness) == (NOON, Freshness.FRESH)
    assert view.origin.reads == (
        CacheKey(CacheKind.EVENT_TYPES),
        CacheKey(CacheKind.SLOTS, ada.event_type.uri),
    )


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
    ],
    ids=["empty", "reversed", "too long", "past", "naive"],
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
async def test_the_longest_range_from_now_is_served(
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


async def test_a_group_does_not_offer_what_another_event_type_took(
    product: Product, process: Process
) -> None:
    """A booking of another event type keeps the host from holding the group's meeting."""
    ada = await host(product, kind="group")
    other = product.calendly.add_event_type(ada.integration.account.user_uri)
    product.calendly.open_slots(other.uri, ada.starts)
    await process.sync(ada.integration.id)
    product.calendly.invitee_books(other.uri, ada.starts[1])
    await process.reconcile(ada.integration.id, backfill=True)

    assert await starts(process, ada) == (ada.starts[0], ada.starts[2])


@pytest.mark.parametrize("pooling_type", ["round_robin", "collective"])
async def test_round_robin_goes_on_offering_its_slot(
    product: Product, process: Process, pooling_type: str
) -> None:
    """A booking closes a slot for all hosts together, not for one of several hosts."""
    ada = await host(product)
    pooled = msgspec.structs.replace(ada.event_type, pooling_type=pooling_type)
    product.calendly.types[ada.integration.account.user_uri] = [pooled]
    await process.sync(ada.integration.id)
    product.calendly.invitee_books(ada.event_type.uri, ada.starts[1])
    await process.reconcile(ada.integration.id, backfill=True)

    offered = ada.starts[1] in await starts(process, ada)

    assert offered is (pooling_type == "round_robin")


async def test_a_booking_beside_an_event_type_is_left_out_at_once(
    product: Product, process: Process
) -> None:
    """A range takes account of a booking that begins before it and reaches into it."""
    ada = await host(product)
    await process.sync(ada.integration.id)
    product.calendly.invitee_books(ada.event_type.uri, ada.starts[0])
    await process.reconcile(ada.integration.id, backfill=True)

    view = await process.availability(
        ada.integration.user_id, ada.event_type.uri, ada.starts[0] + A_MOMENT, TOMORROW + A_DAY
    )

    assert [each.start for each in view.slots] == list(ada.starts[1:])


async def test_far_slots_are_fetched_on_demand_and_kept(
    product: Product, process: Process
) -> None:
    """A range beyond the month that is kept warm is fetched once, then served from the cache."""
    ada = await host(product)
    far = [NOON + number * A_DAY for number in (40, 50, 65, 80)]
    product.calendly.open_slots(ada.event_type.uri, far)
    user_id, uri = ada.integration.user_id, ada.event_type.uri

    views = [
        await process.availability(user_id, uri, NOON + 45 * A_DAY, NOON + 75 * A_DAY)
        for _ in range(3)
    ]

    assert [[each.start for each in view.slots] for view in views] == [far[1:3]] * 3
    assert views[0].covered_until >= views[0].end
    assert product.calendly.calls["event_types"] == 1
    assert product.calendly.calls["available_times"] == 2


async def test_expired_far_slots_are_fetched_again(product: Product, process: Process) -> None:
    """A far window without reads for a day is fetched for its next reader, and cached again."""
    ada = await host(product)
    user_id, uri = ada.integration.user_id, ada.event_type.uri
    span = (NOON + 65 * A_DAY, NOON + 70 * A_DAY)
    await process.availability(user_id, uri, *span)
    product.clock.advance(CACHE.ttl + A_MOMENT)
    product.calendly.calls.clear()

    views = [await process.availability(user_id, uri, *span) for _ in range(3)]

    assert {view.age.fetched_at for view in views} == {product.clock.now()}
    assert product.calendly.calls["available_times"] == 1


async def test_a_range_across_two_windows_uses_both(product: Product, process: Process) -> None:
    """A range that begins within the month and ends beyond it has every slot exactly once."""
    ada = await host(product)
    opened = [NOON + timedelta(hours=6) * number for number in range(4 * 25, 4 * 50)]
    product.calendly.open_slots(ada.event_type.uri, opened)
    product.clock.advance(timedelta(minutes=30))

    view = await process.availability(
        ada.integration.user_id, ada.event_type.uri, NOON + 26 * A_DAY, NOON + 48 * A_DAY
    )

    expected = [each for each in opened if view.start <= each < view.end]
    assert [each.start for each in view.slots] == expected
    assert view.covered_until >= view.end


async def test_a_response_is_as_old_as_its_oldest_window(
    product: Product, process: Process
) -> None:
    """A range that was cut from windows of different age tells the age of the oldest."""
    ada = await host(product)
    user_id, uri = ada.integration.user_id, ada.event_type.uri
    await process.availability(user_id, uri, TOMORROW, TOMORROW + A_DAY)
    product.clock.advance(timedelta(minutes=10))

    view = await process.availability(user_id, uri, NOON + 20 * A_DAY, NOON + 40 * A_DAY)
    far = await process.availability(user_id, uri, NOON + 35 * A_DAY, NOON + 40 * A_DAY)

    assert (view.age.fetched_at, far.age.fetched_at) == (NOON, product.clock.now())


async def test_the_end_of_the_covered_time_is_returned(product: Product, process: Process) -> None:
    """A month from now needs no far window: the response says how far it goes."""
    ada = await host(product)
    user_id, uri = ada.integration.user_id, ada.event_type.uri
    await process.availability(user_id, uri, NOON, NOON + A_DAY)
    product.clock.advance(timedelta(minutes=40))
    now = product.clock.now()

    view = await process.availability(user_id, uri, now, now + MONTH)

    assert view.covered_until == NOON + timedelta(minutes=1) + MONTH < view.end
    assert product.calendly.calls["available_times"] == 1


async def test_no_slots_are_returned_for_unknown_times(product: Product, process: Process) -> None:
    """A range that begins after the end of what is kept is fetched, not said to be full."""
    ada = await host(product)
    product.calendly.open_slots(ada.event_type.uri, [NOON + MONTH + timedelta(minutes=30)])
    user_id, uri = ada.integration.user_id, ada.event_type.uri
    await process.availability(user_id, uri, NOON, NOON + A_DAY)
    product.clock.advance(timedelta(minutes=40))
    start = NOON + MONTH + timedelta(minutes=20)

    view = await process.availability(user_id, uri, start, start + timedelta(minutes=15))

    assert len(view.slots) == 1
    assert view.covered_until >= view.end


async def test_slots_beyond_the_horizon_are_refused(product: Product, process: Process) -> None:
    """A range that ends beyond the horizon is refused, and the last one before it answered."""
    ada = await host(product)
    user_id, uri = ada.integration.user_id, ada.event_type.uri
    end = NOON + AVAILABILITY_HORIZON

    with pytest.raises(InvalidRange, match="180 days"):
        await process.availability(user_id, uri, end - A_DAY, end + A_MOMENT)

    assert product.calendly.calls.total() == 0
    view = await process.availability(user_id, uri, end - A_DAY, end)
    assert view.covered_until >= end


async def test_a_far_window_that_failed_leaves_the_near_one(
    product: Product, process: Process
) -> None:
    """When the far part of a range could not be fetched, the response says how far it goes."""
    ada = await host(product)
    await process.sync(ada.integration.id)
    product.calendly.fail_always("available_times", CalendlyUnavailable("down"))

    view = await process.availability(
        ada.integration.user_id, ada.event_type.uri, TOMORROW, TOMORROW + MONTH
    )

    assert tuple(each.start for each in view.slots) == ada.starts
    assert view.covered_until < view.end
    assert view.age.error_code == "calendly_unavailable"
    assert view.origin.valid_until <= product.clock.now()


@pytest.mark.parametrize(
    ("refusal", "said"),
    [
        (CalendlyForbidden("no"), CalendlyForbidden),
        (CalendlyNotFound("no"), EventTypeNotFound),
        (CalendarBroken("no"), CalendarBroken),
    ],
)
async def test_permanently_refused_slots_are_reported(
    product: Product, process: Process, refusal: CalendlyError, said: type[SlotkeeperError]
) -> None:
    """A caller learns why Calendly refuses slots, and repeating the read does not fetch again."""
    ada = await host(product)
    product.calendly.fail_always("available_times", refusal)

    for _ in range(5):
        with pytest.raises(said):
            await starts(process, ada)
        product.clock.advance(timedelta(minutes=10))

    assert product.calendly.calls["available_times"] == 1
    product.calendly.heal()
    product.clock.advance(timedelta(minutes=10))
    assert await starts(process, ada) == ada.starts


async def test_slots_that_could_not_be_fetched_are_pending(
    product: Product, process: Process
) -> None:
    """An event type whose slots never came is not said to have none."""
    ada = await host(product)
    product.calendly.fail_always("available_times", CalendlyUnavailable("down"))

    with pytest.raises(AvailabilityPending) as refusal:
        await starts(process, ada)

    assert refusal.value.retry_after is not None
    assert RETRY_AFTER.total_seconds() <= refusal.value.retry_after
    assert "calendly_unavailable" in refusal.value.message


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
