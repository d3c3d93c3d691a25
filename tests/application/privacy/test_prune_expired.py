from datetime import timedelta

import pytest
from msgspec.structs import replace

from application.jobs.job_result import JobResult
from application.privacy.prune_expired import ERASURES
from domain.audit import Actor
from domain.errors import StorageUnavailable
from domain.integration import Integration
from tests.application.support.building import Product
from tests.application.support.delivering import connect, created, deliver, events
from tests.application.support.process import Process
from tests.application.webhooks.test_apply_pending import leave
from tests.fakes.calendly import bodies
from tests.fakes.clock import NOON

CLI = Actor("cli")

DAY = timedelta(days=1)
GRACE = "grace@example.net"


@pytest.fixture
async def ada(product: Product) -> Integration:
    """A connected user."""
    return await connect(product)


async def prune(process: Process, limit: int = 2) -> JobResult:
    """Run the job to its end; return the sum of its pages."""
    total = JobResult()
    while True:
        page = await process.prune_webhooks(total.cursor, limit, lambda _: None)
        total = total.plus(page)
        if not page.more:
            return total


async def test_what_was_settled_goes_after_its_time(
    product: Product, process: Process, ada: Integration
) -> None:
    """Applied events go after thirty days and not before; their bookings stay."""
    for number in range(5):
        await deliver(process, created(number), ada)
    product.clock.advance(30 * DAY)
    early = await prune(process)
    product.clock.advance(timedelta(seconds=1))

    late = await prune(process)

    assert early.done == {}
    assert late.done == {"webhook_events": 5}
    assert events(product) == []
    assert len(product.storage.state.bookings) == 5


async def test_what_waits_never_goes(product: Product, process: Process, ada: Integration) -> None:
    """A pending event stays at any age; a dead letter has ninety days."""
    pending = await leave(product, created(), ada.id)
    dead = await leave(product, created(2), ada.id)
    async with product.storage() as uow:
        await uow.webhook_events.failed(dead, "unexpected", None)
        await uow.commit()
    product.clock.advance(90 * DAY)
    early = await prune(process)
    product.clock.advance(timedelta(seconds=1))
    late = await prune(process)

    product.clock.advance(3650 * DAY)
    await prune(process)

    assert (early.done, late.done) == ({}, {"dead_letters": 1})
    assert [row.event.id for row in events(product)] == [pending]


async def test_a_repetition_after_pruning_does_no_harm(
    product: Product, process: Process, ada: Integration
) -> None:
    """An event that comes once more after it was forgotten leaves the bookings as they are."""
    await deliver(process, created(), ada)
    before = dict(product.storage.state.bookings)
    product.clock.advance(31 * DAY)
    await prune(process)

    again = await deliver(process, created(), ada)

    assert again.result == "stored"
    assert product.storage.state.bookings == before


async def test_what_comes_late_of_an_erased_invitee_is_rewritten(
    product: Product, process: Process, ada: Integration
) -> None:
    """A body that arrives after the erasure of its invitee loses the person with the next run."""
    await process.erase_invitee("grace@example.net", CLI)
    await deliver(process, created(), ada)
    (kept,) = events(product)
    assert b"grace@example.net" in kept.event.body

    done = (await prune(process)).done
    again = (await prune(process)).done

    (row,) = events(product)
    assert (done, again) == ({"redacted": 1}, {})
    assert b"Grace" not in row.event.body
    assert b"grace@example.net" not in row.event.body


async def test_a_new_booking_is_not_erased(
    product: Product, process: Process, ada: Integration
) -> None:
    """A person who books again after the erasure keeps that webhook, until the next erasure."""
    await deliver(process, created(1), ada)
    await process.erase_invitee(GRACE, CLI)
    anew = bodies.stamp(product.clock.advance(DAY))
    await deliver(process, created(2, created_at=anew, updated_at=anew), ada)

    await prune(process)
    kept = [GRACE.encode() in row.event.body for row in events(product)]
    await process.erase_invitee(GRACE, CLI)
    left = [GRACE.encode() in row.event.body for row in events(product)]

    assert (kept, left) == ([False, True], [False, False])


async def test_what_waited_for_its_key_is_rewritten_once_it_is_settled(
    product: Product, process: Process, ada: Integration
) -> None:
    """A pending body that did not open when its invitee was erased is rewritten once applied."""
    event_id = await leave(product, created(), ada.id)
    row = product.storage.state.webhook_events[event_id]
    closed = replace(row, event=replace(row.event, fault="encryption_key_unknown"))
    product.storage.state.webhook_events[event_id] = closed
    await process.erase_invitee(GRACE, CLI)
    product.clock.advance(20 * DAY)
    before = await prune(process)
    product.storage.state.webhook_events[event_id] = row

    await process.apply(10, lambda _: None)
    after = await prune(process)

    assert (before.done, after.done) == ({}, {"redacted": 1})
    assert GRACE.encode() not in product.storage.state.webhook_events[event_id].event.body


async def test_what_was_looked_at_is_not_opened_every_day(
    product: Product, process: Process, ada: Integration
) -> None:
    """The daily look opens what arrived or was settled since two days, and nothing older."""
    await deliver(process, created(1), ada)
    product.clock.advance(3 * DAY)
    await deliver(process, created(2), ada)

    page = await process.prune_webhooks("redact:", 10, lambda _: None)

    assert page.examined == 1


async def test_no_page_opens_many_bodies(
    product: Product, process: Process, ada: Integration
) -> None:
    """At most 200 bodies are open at a time, for any page size, and each is counted."""
    for number in range(401):
        await leave(product, created(number), ada.id)
    reports: list[JobResult] = []

    cursor: str | None = "redact:"
    while cursor is not None:
        page = await process.prune_webhooks(cursor, 1000, reports.append)
        cursor = page.cursor

    assert [page.examined for page in reports] == [200, 200, 1, 0]


async def cut_off(product: Product, process: Process, after: int) -> bool:
    """Erase a person by a process that dies after so many more transactions; False: it ended."""
    product.storage.fail_next(*[None] * after, StorageUnavailable("killed"))
    try:
        await process.erase_invitee(GRACE, CLI)
    except StorageUnavailable:
        return True
    product.storage.fail_next(None)
    return False


# The record, the store's moment, its quiet, bookings, bodies: then what it came to.
@pytest.mark.parametrize("after", range(1, 6))
async def test_an_erasure_that_was_cut_off_is_ended(
    product: Product, process: Process, ada: Integration, after: int
) -> None:
    """Wherever an erasure's process dies, the daily job ends what it began, unasked, once."""
    await deliver(process, created(1), ada)
    await deliver(process, created(2, email="joe@example.net", name="Joe"), ada)
    assert await cut_off(product, process, after)
    (record,) = product.storage.state.erasures.values()
    assert record.erasure.bookings is None
    product.clock.advance(timedelta(hours=1, seconds=1))

    done = (await prune(process)).done
    again = (await prune(process)).done

    (record,) = product.storage.state.erasures.values()
    assert record.erasure.bookings == done.get("bookings_forgotten", 0)
    assert (done["erasures_finished"], again) == (1, {})
    people = {each.facts.details.invitee.email for each in product.storage.state.bookings.values()}
    assert people == {"", "joe@example.net"}
    assert [GRACE.encode() in row.event.body for row in events(product)] == [False, False]
    assert product.telemetry.seen["erasure_unfinished", record.erasure.id] == 2


async def test_an_erasure_has_no_more_steps(
    product: Product, process: Process, ada: Integration
) -> None:
    """An erasure of little takes six transactions: those of the test of its deaths are all."""
    await deliver(process, created(1), ada)

    assert not await cut_off(product, process, after=6)


async def test_an_erasure_that_may_be_under_way_is_left_alone(
    product: Product, process: Process, ada: Integration
) -> None:
    """The job ends nothing that was begun within the hour, nor while old work may be going on."""
    await deliver(process, created(1), ada)
    await cut_off(product, process, after=1)
    product.clock.advance(timedelta(hours=1))
    young = await prune(process)
    product.clock.advance(timedelta(seconds=1))
    product.storage.state.open_elsewhere["slow"] = NOON
    busy = await prune(process)
    product.storage.state.open_elsewhere.clear()

    ended = await prune(process)

    assert [ERASURES in each.done for each in (young, busy, ended)] == [False, False, True]


async def test_ending_an_erasure_spares_new_bookings(
    product: Product, process: Process, ada: Integration
) -> None:
    """An erasure that ends late covers bookings until its request, not later ones."""
    await deliver(process, created(1), ada)
    await cut_off(product, process, after=1)
    anew = bodies.stamp(product.clock.advance(DAY))
    await deliver(process, created(2, created_at=anew, updated_at=anew), ada)

    await prune(process)

    people = [each.facts.details.invitee.email for each in product.storage.state.bookings.values()]
    assert people == ["", GRACE]
    assert [GRACE.encode() in row.event.body for row in events(product)] == [False, True]


async def test_a_repeated_erasure_ends_the_one_that_was_cut_off(
    product: Product, process: Process, ada: Integration
) -> None:
    """A repeated erasure that ends leaves nothing for the job to end."""
    await deliver(process, created(1), ada)
    await cut_off(product, process, after=1)
    await process.erase_invitee(GRACE, CLI)
    product.clock.advance(DAY)

    assert (await prune(process)).done == {}


async def test_the_cursor_names_no_person(
    product: Product, process: Process, ada: Integration
) -> None:
    """The job's cursor, which all may read, holds ids and counts."""
    await deliver(process, created(1), ada)
    await cut_off(product, process, after=1)
    product.clock.advance(DAY)
    seen: list[str] = []

    total = JobResult(more=True)
    while total.more:
        total = await process.prune_webhooks(total.cursor, 2, lambda _: None)
        seen.append(total.cursor or "")

    assert any('"in_bodies":true,"bookings":1' in each for each in seen)
    assert "grace" not in " ".join(seen).lower()


async def test_progress_is_reported(product: Product, process: Process, ada: Integration) -> None:
    """Each page tells how far it is."""
    await deliver(process, created(), ada)
    product.clock.advance(31 * DAY)
    reports: list[JobResult] = []

    page = await process.prune_webhooks(None, 10, reports.append)

    assert reports == [page]
    assert page == JobResult(examined=1, done={"webhook_events": 1}, cursor="rest:", more=True)
