"""Ranges cut from a window that was read before, against reads of just these ranges."""

from datetime import datetime, timedelta

import pytest

from application.availability.read_slots import AvailabilityView
from application.availability.slot_window import SlotWindow
from domain.availability import open_slots
from tests import samples
from tests.application.support.building import Product
from tests.application.support.host_setup import A_DAY, TOMORROW, Host, host, invalidate_cache
from tests.application.support.process import AVAILABILITY_HORIZON, Process
from tests.fakes.clock import NOON

MONTH = timedelta(days=31)
MINUTE = timedelta(minutes=1)


@pytest.fixture
async def ada(product: Product, process: Process) -> Host:
    """A host with slots all over the window, one of them booked, and a fresh cache."""
    found = await host(product)
    starts = tuple(NOON + timedelta(hours=7 * number + 1) for number in range(100))
    product.calendly.open_slots(found.event_type.uri, starts)
    facts = samples.facts("ivy", details=samples.details(starts[50]))
    async with product.storage() as uow:
        await uow.bookings.put([samples.booking(found.integration, product.randomness, facts)])
        await uow.commit()
    await process.sync(found.integration.id)
    return found


async def read(process: Process, ada: Host, start: datetime, end: datetime) -> AvailabilityView:
    """Read a range."""
    return await process.availability(ada.integration.user_id, ada.event_type.uri, start, end)


async def ahead(process: Process, ada: Host) -> SlotWindow:
    """Return what a read of a short range leaves."""
    window = (await read(process, ada, TOMORROW, TOMORROW + A_DAY)).slot_window
    assert window is not None
    return window


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (NOON, NOON + MONTH),
        (NOON - MINUTE, NOON + A_DAY),
        (NOON + 14 * A_DAY, NOON + 16 * A_DAY),
        (NOON + 8 * timedelta(hours=1), NOON + 15 * timedelta(hours=1)),
        (NOON + 30 * A_DAY, NOON + MONTH + MINUTE),
    ],
)
async def test_any_range_is_what_a_read_of_it_finds(
    process: Process, ada: Host, start: datetime, end: datetime
) -> None:
    """A range of the window has the slots that a read of it finds, booked ones left out."""
    window = await ahead(process, ada)

    span = window.valid_range(start, end, NOON)

    assert span is not None
    found = open_slots(window.open_slots(), span, (), window.duration)
    assert tuple(found) == (await read(process, ada, start, end)).slots
    assert len(window.open_slots()) == len(window.slots) - 1


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (TOMORROW, TOMORROW),
        (TOMORROW, TOMORROW - A_DAY),
        (TOMORROW, TOMORROW + MONTH + MINUTE),
        (NOON - 2 * MINUTE, TOMORROW),
        (NOON + 2 * A_DAY, NOON + MONTH + 2 * MINUTE),
        (NOON + MONTH + MINUTE, NOON + MONTH + A_DAY),
        (NOON + AVAILABILITY_HORIZON, NOON + AVAILABILITY_HORIZON + A_DAY),
    ],
    ids=["empty", "reversed", "too long", "past", "beyond the end", "far", "beyond the horizon"],
)
async def test_ranges_that_need_a_read_are_not_served(
    process: Process, ada: Host, start: datetime, end: datetime
) -> None:
    """A range that breaks a rule, or needs another window, is none of this one."""
    window = await ahead(process, ada)

    assert window.valid_range(start, end, NOON) is None


async def test_the_past_is_judged_when_it_is_asked(process: Process, ada: Host) -> None:
    """A start that has passed since the window was read is refused as any other."""
    window = await ahead(process, ada)
    later = NOON + timedelta(minutes=10)

    assert window.valid_range(NOON, TOMORROW, later) is None
    assert window.valid_range(later, later + MONTH, later) is not None


async def test_what_is_not_fresh_is_not_kept(
    product: Product, process: Process, ada: Host
) -> None:
    """An invalidated response, and one from a far window, has no window for other ranges."""
    far = NOON + 60 * A_DAY
    beyond = await read(process, ada, far, far + A_DAY)
    both = await read(process, ada, NOON + 30 * A_DAY, NOON + 40 * A_DAY)
    await invalidate_cache(product, ada)
    invalidated = await read(process, ada, TOMORROW, TOMORROW + A_DAY)

    assert (beyond.slot_window, both.slot_window, invalidated.slot_window) == (None, None, None)
