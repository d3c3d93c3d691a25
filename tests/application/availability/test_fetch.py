import asyncio
from datetime import timedelta

import pytest

from application.availability.cache_entries import event_types, slots
from application.availability.fetch import MAX_CONCURRENT, FetchRequest, FetchResult, is_over
from application.ports.storage.availability_cache import CacheEntry, CacheKey, CacheKind
from application.tokens.calendly_session import Seen
from domain.availability import BUSY_WINDOW, SLOT_WINDOW, Window
from domain.errors import CalendarBroken, CalendlyUnavailable
from domain.windows import HEAD_START, far_windows
from tests.application.support.building import Product
from tests.application.support.host_setup import Host, host
from tests.application.support.process import Process
from tests.fakes.clock import NOON

SINGLE = [CacheKey(each) for each in (CacheKind.EVENT_TYPES, CacheKind.BUSY, CacheKind.SCHEDULES)]


async def fetch(process: Process, ada: Host, *keys: CacheKey) -> list[FetchResult]:
    """Fetch entries that are not stored."""
    return await process.fetch.fetch(Seen(ada.integration), [FetchRequest(at) for at in keys])


async def fetch_again(process: Process, ada: Host, stored: CacheEntry) -> FetchResult:
    """Fetch a kind that is stored as it came."""
    ask = FetchRequest(stored.cache_key, stored.etag, stored.covers)
    (fetched,) = await process.fetch.fetch(Seen(ada.integration), [ask])
    return fetched


def far(uri: str, days: int) -> tuple[CacheKey, Window]:
    """Return the cell of slots around the moment so many days from now."""
    moment = NOON + timedelta(days=days)
    (cell,) = far_windows(uri, Window(moment, moment + timedelta(seconds=1)), SLOT_WINDOW)
    return CacheKey(CacheKind.SLOTS, cell.key), cell.window


async def test_what_is_asked_for_is_fetched(product: Product, process: Process) -> None:
    """A fetch brings each kind that was asked for, in that order, and no other."""
    ada = await host(product)
    wanted = [*SINGLE, CacheKey(CacheKind.SLOTS, ada.event_type.uri)]

    fetched = await fetch(process, ada, *wanted)

    assert [each.entry.cache_key for each in fetched] == wanted
    assert event_types(fetched[0].entry) == (ada.event_type,)
    assert tuple(each.start for each in slots(fetched[3].entry)) == ada.starts
    assert {(each.error, each.unchanged) for each in fetched} == {(None, False)}


async def test_nothing_wanted_is_nothing_sent(product: Product, process: Process) -> None:
    """A fetch of nothing makes no call."""
    ada = await host(product)

    assert await fetch(process, ada) == []
    assert product.calendly.calls.total() == 0


async def test_spans_are_within_calendlys_limits(product: Product, process: Process) -> None:
    """Slots are asked for a month ahead and busy times for a week, from a moment in the future."""
    ada = await host(product)

    fetched = await fetch(process, ada, CacheKey(CacheKind.SLOTS, ada.event_type.uri), *SINGLE[1:])

    covers = [each.entry.covers for each in fetched]
    assert covers == [
        Window(NOON + HEAD_START, NOON + HEAD_START + SLOT_WINDOW),
        Window(NOON + HEAD_START, NOON + HEAD_START + BUSY_WINDOW),
        None,
    ]


async def test_a_cell_is_asked_for_as_far_as_it_lies_ahead(
    product: Product, process: Process
) -> None:
    """Of a cell of the grid that has begun only the rest is asked for, of others all of it."""
    ada = await host(product)
    now_key, now_window = far(ada.event_type.uri, 0)
    far_key, far_window = far(ada.event_type.uri, 60)

    fetched = await fetch(process, ada, now_key, far_key)

    assert [each.entry.covers for each in fetched] == [
        Window(NOON + HEAD_START, now_window.end),
        far_window,
    ]
    assert not is_over(now_key, NOON)
    assert is_over(now_key, now_window.end - HEAD_START)


async def test_the_moment_before_the_fetch_counts(product: Product, process: Process) -> None:
    """A kind is as old as the moment before its fetch began."""
    ada = await host(product)
    hold = product.calendly.hold_next("event_types")
    task = asyncio.create_task(fetch(process, ada, SINGLE[0]))
    await hold.reached.wait()
    product.clock.advance(timedelta(seconds=9))
    hold.release()

    (fetched,) = await task

    assert fetched.entry.fetched_at == NOON


async def test_a_broken_calendar_spoils_only_busy_times(
    product: Product, process: Process
) -> None:
    """The good parts of a bad fetch are kept, and the bad one is named with its reason."""
    ada = await host(product)
    product.calendly.broken_calendars.add(ada.integration.account.user_uri)

    types, busy, schedules = await fetch(process, ada, *SINGLE)

    assert (types.error, schedules.error) == (None, None)
    assert isinstance(busy.error, CalendarBroken)
    assert (busy.entry.error_code, busy.entry.content) == ("calendar_broken", b"")
    assert busy.entry.fetched_at == NOON


async def test_a_bug_fails_only_its_entry(product: Product, process: Process) -> None:
    """An error of ours in one kind leaves the others alone, and is handed on."""
    ada = await host(product)
    product.calendly.fail_next("busy_times", KeyError("bug"))  # type: ignore[arg-type]

    types, busy, schedules = await fetch(process, ada, *SINGLE)

    assert (types.error, schedules.error) == (None, None)
    assert isinstance(busy.bug, KeyError)
    assert busy.entry.error_code == "internal"


async def test_what_did_not_change_is_not_sent_again(product: Product, process: Process) -> None:
    """A request with the stored content's tag learns without a body that it is unchanged."""
    ada = await host(product)
    at, window = far(ada.event_type.uri, 60)
    (first,) = await fetch(process, ada, at)
    product.clock.advance(timedelta(hours=1))

    second = await fetch_again(process, ada, first.entry)
    product.calendly.open_slots(ada.event_type.uri, [window.start])
    third = await fetch_again(process, ada, first.entry)

    assert first.entry.etag is not None
    assert (second.unchanged, second.entry.content) == (True, b"")
    assert (second.entry.etag, second.entry.covers) == (first.entry.etag, window)
    assert (third.unchanged, len(slots(third.entry))) == (False, 1)


@pytest.mark.parametrize("kind", [CacheKind.EVENT_TYPES, CacheKind.SCHEDULES])
async def test_what_has_no_window_is_asked_for_in_the_same_words(
    product: Product, process: Process, kind: CacheKind
) -> None:
    """The tag of a list without a span holds as long as the list does."""
    ada = await host(product)
    (first,) = await fetch(process, ada, CacheKey(kind))
    product.clock.advance(timedelta(hours=1))

    assert (await fetch_again(process, ada, first.entry)).unchanged


@pytest.mark.parametrize("what", ["near slots", "begun slots", "busy times"])
async def test_a_tag_speaks_of_one_span_alone(
    product: Product, process: Process, what: str
) -> None:
    """A window that has moved is fetched completely, even if its content is the same."""
    ada = await host(product)
    at = {
        "near slots": CacheKey(CacheKind.SLOTS, ada.event_type.uri),
        "begun slots": far(ada.event_type.uri, 0)[0],
        "busy times": CacheKey(CacheKind.BUSY),
    }[what]
    (first,) = await fetch(process, ada, at)
    product.clock.advance(timedelta(seconds=1))

    second = await fetch_again(process, ada, first.entry)

    assert first.entry.etag is not None
    assert second.entry.etag == first.entry.etag
    assert (second.unchanged, second.entry.content) == (False, first.entry.content)


async def test_fetches_run_side_by_side_but_not_all_at_once(
    product: Product, process: Process
) -> None:
    """A host with many event types does not flood Calendly."""
    ada = await host(product)
    user_uri = ada.integration.account.user_uri
    made = [product.calendly.add_event_type(user_uri).uri for _ in range(20)]
    holds = [product.calendly.hold_next("available_times") for _ in made]

    async def release() -> int:
        for hold in holds[:MAX_CONCURRENT]:
            await hold.reached.wait()
        most = product.calendly.calls["available_times"]
        for hold in holds:
            hold.release()
        return most

    fetched, at_once = await asyncio.gather(
        fetch(process, ada, *(CacheKey(CacheKind.SLOTS, uri) for uri in made)), release()
    )

    assert at_once == MAX_CONCURRENT
    assert len(fetched) == 20


async def test_one_slow_entry_is_repeated(product: Product, process: Process) -> None:
    """A kind that Calendly did not process at first is asked for again within the fetch."""
    ada = await host(product)
    product.calendly.fail_next("schedules", CalendlyUnavailable("down"))

    (fetched,) = await fetch(process, ada, CacheKey(CacheKind.SCHEDULES))

    assert fetched.error is None
    assert product.calendly.calls["schedules"] == 2
