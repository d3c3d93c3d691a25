import asyncio

import msgspec
import pytest

from application.cached_values import event_types, slots
from application.fetch_availability import AT_ONCE, HEAD_START
from application.ports.availability_cache import Part
from domain.availability import BUSY_WINDOW, SLOT_WINDOW
from domain.errors import CalendarBroken, CalendlyForbidden, CalendlyUnavailable
from tests.application.building import Product
from tests.application.offering import host
from tests.application.process import Process
from tests.fakes.clock import NOON


async def test_everything_is_fetched(product: Product, process: Process) -> None:
    """A fetch brings event types, the slots of each, busy times and schedules."""
    ada = await host(product)

    fetched = await process.fetch(ada.integration)

    parts = {(each.part, each.key): each for each in fetched.parts}
    assert set(parts) == {
        (Part.EVENT_TYPES, ""),
        (Part.SLOTS, ada.event_type.uri),
        (Part.BUSY, ""),
        (Part.SCHEDULES, ""),
    }
    assert event_types(parts[Part.EVENT_TYPES, ""]) == (ada.event_type,)
    found = slots(parts[Part.SLOTS, ada.event_type.uri])
    assert tuple(each.start for each in found) == ada.starts
    assert fetched.failed == ()
    assert fetched.event_type_uris == (ada.event_type.uri,)


async def test_spans_are_within_calendlys_limits(product: Product, process: Process) -> None:
    """Slots are asked for a month ahead and busy times for a week, from a moment in the future."""
    ada = await host(product)

    fetched = await process.fetch(ada.integration)

    covers = {each.part: each.covers for each in fetched.parts}
    for part, length in ((Part.SLOTS, SLOT_WINDOW), (Part.BUSY, BUSY_WINDOW)):
        span = covers[part]
        assert span is not None
        assert (span.start, span.end - span.start) == (NOON + HEAD_START, length)
    assert covers[Part.SCHEDULES] is None


async def test_the_moment_before_the_fetch_counts(product: Product, process: Process) -> None:
    """A part is as old as the moment before its fetch began."""
    ada = await host(product)

    fetched = await process.fetch(ada.integration)

    assert {each.fetched_at for each in fetched.parts} == {NOON}


async def test_a_broken_calendar_spoils_only_busy_times(
    product: Product, process: Process
) -> None:
    """The good parts of a bad fetch are kept, and the bad one is named with its reason."""
    ada = await host(product)
    product.calendly.broken_calendars.add(ada.integration.account.user_uri)

    fetched = await process.fetch(ada.integration)

    (failed,) = fetched.failed
    assert (failed.part, failed.key, failed.error_code) == (Part.BUSY, "", "calendar_broken")
    assert (failed.content, failed.fetched_at) == (b"", NOON)
    assert [type(each) for each in fetched.errors] == [CalendarBroken]
    assert len(fetched.parts) == 3


async def test_inactive_event_types_have_no_slots(product: Product, process: Process) -> None:
    """Slots are fetched for what can be booked only."""
    ada = await host(product)
    owned = product.calendly.types[ada.integration.account.user_uri]
    owned.append(msgspec.structs.replace(ada.event_type, uri="inactive", active=False))
    owned.append(msgspec.structs.replace(ada.event_type, uri="deleted", deleted_at=NOON))

    fetched = await process.fetch(ada.integration)

    assert product.calendly.calls["available_times"] == 1
    assert fetched.event_type_uris == (ada.event_type.uri,)


async def test_without_event_types_nothing_is_fetched(product: Product, process: Process) -> None:
    """When the event types cannot be had the fetch fails as a whole."""
    ada = await host(product)
    product.calendly.fail_next("event_types", CalendlyForbidden("no"))

    with pytest.raises(CalendlyForbidden):
        await process.fetch(ada.integration)

    assert product.calendly.calls["busy_times"] == 0


async def test_fetches_run_side_by_side_but_not_all_at_once(
    product: Product, process: Process
) -> None:
    """A host with many event types does not flood Calendly."""
    ada = await host(product)
    for _ in range(20):
        product.calendly.add_event_type(ada.integration.account.user_uri)
    holds = [product.calendly.hold_next("available_times") for _ in range(21)]

    async def release() -> int:
        await holds[0].reached.wait()
        most = product.calendly.calls["available_times"]
        for hold in holds:
            hold.release()
        return most

    fetched, at_once = await asyncio.gather(process.fetch(ada.integration), release())

    assert at_once <= AT_ONCE
    assert len(fetched.parts) == 24


async def test_one_slow_part_is_repeated(product: Product, process: Process) -> None:
    """A part that Calendly did not process at first is asked for again within the fetch."""
    ada = await host(product)
    product.calendly.fail_next("schedules", CalendlyUnavailable("down"))

    fetched = await process.fetch(ada.integration)

    assert fetched.failed == ()
    assert product.calendly.calls["schedules"] == 2
