from datetime import datetime, timedelta

import pytest

from domain.availability import BusyTime
from domain.errors import CalendarBroken, CalendlyUnavailable, InvalidRange
from tests.application.support.building import Product
from tests.application.support.host_setup import A_DAY, TOMORROW, Host, host
from tests.application.support.process import AVAILABILITY_HORIZON, Process
from tests.fakes.clock import NOON

AN_HOUR = timedelta(hours=1)


def busy(product: Product, ada: Host, *starts: datetime, length: timedelta = AN_HOUR) -> None:
    """Let the host be busy at these times alone."""
    product.calendly.busy[ada.integration.account.user_uri] = [
        BusyTime(kind="calendly", start=start, end=start + length) for start in starts
    ]


async def test_busy_times_that_overlap_the_range_are_returned(
    product: Product, process: Process
) -> None:
    """An answer has every busy time that reaches into the range, in order, and no other."""
    ada = await host(product)
    busy(product, ada, TOMORROW + 3 * AN_HOUR, TOMORROW, TOMORROW + 2 * AN_HOUR)

    view = await process.busy_times(
        ada.integration.user_id, TOMORROW + AN_HOUR / 2, TOMORROW + 3 * AN_HOUR
    )

    assert [each.start for each in view.items] == [TOMORROW, TOMORROW + 2 * AN_HOUR]
    assert view.covered_until == NOON + timedelta(days=7, minutes=1)
    assert product.calendly.calls.total() == product.calendly.calls["busy_times"] == 1


async def test_a_month_is_built_from_weeks(product: Product, process: Process) -> None:
    """A long range is built from windows of a week; a busy time across two windows appears once."""
    ada = await host(product)
    starts = [TOMORROW + number * A_DAY for number in range(30)]
    busy(product, ada, *starts, length=A_DAY)

    view = await process.busy_times(
        ada.integration.user_id, TOMORROW, TOMORROW + timedelta(days=30)
    )
    fetches = product.calendly.calls["busy_times"]
    again = await process.busy_times(
        ada.integration.user_id, TOMORROW, TOMORROW + timedelta(days=30)
    )

    assert [each.start for each in view.items] == starts
    assert view.covered_until >= view.end
    assert again.items == view.items
    assert (fetches, product.calendly.calls["busy_times"]) == (5, 5)


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (TOMORROW, TOMORROW),
        (TOMORROW, TOMORROW + timedelta(days=31, seconds=1)),
        (NOON - timedelta(minutes=2), TOMORROW),
        (TOMORROW, NOON + AVAILABILITY_HORIZON + timedelta(seconds=1)),
    ],
    ids=["empty", "too long", "past", "too far"],
)
async def test_a_range_is_checked(
    product: Product, process: Process, start: datetime, end: datetime
) -> None:
    """A range that cannot be answered is refused before anything is fetched."""
    ada = await host(product)

    with pytest.raises(InvalidRange):
        await process.busy_times(ada.integration.user_id, start, end)

    assert product.calendly.calls.total() == 0


async def test_a_broken_calendar_is_reported(product: Product, process: Process) -> None:
    """Without a cached entry the caller learns that the host must repair the calendar."""
    ada = await host(product)
    product.calendly.broken_calendars.add(ada.integration.account.user_uri)

    with pytest.raises(CalendarBroken):
        await process.busy_times(ada.integration.user_id, TOMORROW, TOMORROW + A_DAY)


async def test_the_good_pieces_of_a_range_are_kept(product: Product, process: Process) -> None:
    """When later windows could not be fetched, the response says how far it goes, and why."""
    ada = await host(product)
    busy(product, ada, TOMORROW)
    await process.sync(ada.integration.id)
    product.calendly.fail_always("busy_times", CalendlyUnavailable("down"))

    view = await process.busy_times(
        ada.integration.user_id, TOMORROW, TOMORROW + timedelta(days=20)
    )

    assert [each.start for each in view.items] == [TOMORROW]
    assert view.covered_until == NOON + timedelta(days=7, minutes=1)
    assert view.age.error_code == "calendly_unavailable"
