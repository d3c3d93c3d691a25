"""A comparison that does not end costs its own integration alone."""

import asyncio
from datetime import timedelta

import pytest

from application.bookings.read_pages import MOST_STANDING, STEP
from application.bookings.reconcile import BUDGET
from application.ports.calendly.bookings import FactsPage
from domain.availability import Window
from domain.errors import CalendlyProtocolError, CalendlyThrottled, CalendlyUnavailable
from domain.integration import Gap
from domain.token import Access
from tests.application.support.building import Product
from tests.application.support.host_setup import Host, host
from tests.application.support.process import Process
from tests.fakes.clock import NOON


@pytest.fixture
async def ada(product: Product) -> Host:
    """A host with three bookings, one a page."""
    made = await host(product)
    for start in made.starts:
        product.calendly.invitee_books(made.event_type.uri, start)
    product.calendly.page_size = 1
    return made


async def run(process: Process) -> dict[str, int]:
    """Reconcile all integrations; return the results and failures together."""
    job_result = await process.reconcile_all(None, 10, lambda _: None)
    return job_result.done | job_result.failed


def endless(product: Product, monkeypatch: pytest.MonkeyPatch, of: Host) -> None:
    """Answer one user with empty pages; each names a next one."""
    page = product.calendly.page
    pages = 0

    async def answer(access: Access, user_uri: str, span: Window, token: str | None) -> FactsPage:
        nonlocal pages
        if user_uri != of.integration.account.user_uri:
            return await page(access, user_uri, span, token)
        pages += 1
        await asyncio.sleep(0)
        return FactsPage(facts=(), next_page=f"page-{pages}")

    monkeypatch.setattr(product.calendly, "page", answer)


def slow(product: Product, monkeypatch: pytest.MonkeyPatch, by: timedelta) -> None:
    """Let each page take so long."""
    page = product.calendly.page

    async def answer(access: Access, user_uri: str, span: Window, token: str | None) -> FactsPage:
        product.clock.advance(by)
        return await page(access, user_uri, span, token)

    monkeypatch.setattr(product.calendly, "page", answer)


async def test_an_endless_list_costs_no_other_integration(
    product: Product, process: Process, ada: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others are reconciled in the same run, and the endless one says why it is not."""
    others = [await host(product, name) for name in ("bob", "cid")]
    endless(product, monkeypatch, ada)

    assert await run(process) == {"backfilled": 2, "calendly_protocol_error": 1}

    left = await product.stored(ada.integration.id)
    assert (left.reconciled_at, left.reconcile_error) == (None, "calendly_protocol_error")
    assert product.telemetry.seen["reconciliation_stopped", "calendly_protocol_error"] == 1
    assert product.telemetry.oldest == left.connected_at
    for each in others:
        done = await product.stored(each.integration.id)
        assert (done.reconciled_at, done.reconcile_error) == (NOON, None)


async def test_a_comparison_goes_on_where_its_time_was_over(
    product: Product, process: Process, ada: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each run reads on from its place, until the whole window is compared."""
    slow(product, monkeypatch, BUDGET)

    results = [await run(process) for _ in range(2)]
    first = await product.stored(ada.integration.id)
    assert results == [{"unfinished": 1}] * 2
    assert first.reconcile_from == ada.starts[1]
    assert (first.reconciled_at, first.reconcile_error) == (None, "unfinished")
    gaps = await process.reconcile_all.fill_gaps(None, 10, lambda _: None)

    assert gaps.done == {"backfilled": 1}
    assert len(product.storage.state.bookings) == 3
    done = await product.stored(ada.integration.id)
    assert (done.reconcile_from, done.reconcile_error) == (None, None)
    assert done.reconciled_at is not None


async def test_a_comparison_after_connecting_or_by_hand_has_an_end_too(
    product: Product, process: Process, ada: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both stop when their time is over, and the next one goes on."""
    slow(product, monkeypatch, BUDGET)

    await process.reconcile(ada.integration.id, backfill=True)
    assert (await product.stored(ada.integration.id)).reconcile_from is not None
    results = [(await process.reconcile_all.one(ada.integration.id))[0] for _ in range(2)]

    assert results == ["unfinished", "backfilled"]
    assert len(product.storage.state.bookings) == 3


async def test_a_free_plan_delays_no_other_integration(
    product: Product, process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the wait that Calendly asks for exceeds the budget, the run goes on without it."""
    await host(product)
    product.calendly.fail_always("page", CalendlyThrottled("429", retry_after=60))
    slow(product, monkeypatch, BUDGET - timedelta(seconds=59))

    assert await run(process) == {"unfinished": 1}


async def test_a_new_gap_begins_the_comparison_again(
    product: Product, process: Process, ada: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bookings that are compared already may have changed in the gap: the place is dropped."""
    slow(product, monkeypatch, BUDGET)
    await run(process)
    assert (await product.stored(ada.integration.id)).reconcile_from is not None

    async with product.storage() as uow:
        now = product.clock.now()
        await uow.integrations.put_gap(ada.integration.id, Gap(now - timedelta(hours=1), now))
        await uow.commit()

    assert (await product.stored(ada.integration.id)).reconcile_from is None


async def test_a_page_that_cannot_be_read_is_passed_over(
    product: Product, process: Process, ada: Host
) -> None:
    """Later bookings are compared, the page is counted, and the integration has the code."""
    late = ada.starts[0] + 2 * STEP
    product.calendly.open_slots(ada.event_type.uri, [late])
    product.calendly.invitee_books(ada.event_type.uri, late)
    product.calendly.page_size = 10
    product.calendly.fail_next("page", CalendlyProtocolError("too large", unreadable=True))

    assert await run(process) == {"backfilled": 1}

    done = await product.stored(ada.integration.id)
    assert done.reconcile_error == "calendly_protocol_error"
    assert product.telemetry.seen["bookings_unreadable",] == 1
    assert late in {each.facts.details.start for each in product.storage.state.bookings.values()}


async def test_the_least_recently_compared_comes_first(
    product: Product, process: Process, ada: Host
) -> None:
    """An integration that failed is taken before those that are compared already."""
    bob = await host(product, "bob")
    product.calendly.fail_next("page", CalendlyUnavailable("down"), times=20)
    await run(process)
    product.calendly.heal()
    product.clock.advance(timedelta(hours=6))
    await process.reconcile_all.one(ada.integration.id)
    product.clock.advance(timedelta(hours=6))

    first = await process.reconcile_all(None, 1, lambda _: None)

    assert first.done == {"backfilled": 1}
    assert (await product.stored(bob.integration.id)).reconciled_at == product.clock.now()
    second = await process.reconcile_all(first.cursor, 1, lambda _: None)
    assert (second.examined, second.done) == (1, {"unchanged": 1})


async def test_a_bug_ends_no_page(
    product: Product, process: Process, ada: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A record on which our own code fails leaves the other integrations to be compared."""
    await host(product, "bob")
    page = product.calendly.page

    async def answer(access: Access, user_uri: str, span: Window, token: str | None) -> FactsPage:
        if user_uri == ada.integration.account.user_uri:
            raise ZeroDivisionError
        return await page(access, user_uri, span, token)

    monkeypatch.setattr(product.calendly, "page", answer)

    assert await run(process) == {"backfilled": 1, "unexpected": 1}


async def test_pages_that_stand_still_are_endless(
    product: Product, process: Process, ada: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pages that repeat the same events under new tokens end after a few."""
    calls = 0

    async def answer(access: Access, user_uri: str, span: Window, token: str | None) -> FactsPage:  # noqa: ARG001
        nonlocal calls
        calls += 1
        return FactsPage(facts=(), next_page=f"again-{calls}", last_start=ada.starts[0])

    monkeypatch.setattr(product.calendly, "page", answer)

    assert await run(process) == {"calendly_protocol_error": 1}
    assert calls == MOST_STANDING + 1
