from datetime import timedelta

from application.jobs.job_result import JobResult
from domain.errors import CalendlyForbidden
from domain.reconcile_order import Place
from domain.reconciliation import IN_FLIGHT
from tests.application.support.building import Product
from tests.application.support.host_setup import host, subscribe
from tests.application.support.process import Process
from tests.fakes.clock import NOON


async def test_a_first_sweep_is_a_back_fill(product: Product, process: Process) -> None:
    """An integration whose onboarding never got this far is back-filled without an alarm."""
    ada = await host(product)
    product.calendly.invitee_books(ada.event_type.uri, ada.starts[0])

    job_result = await process.reconcile_all(None, 10, lambda _: None)

    assert job_result.done == {"backfilled": 1}
    assert len(product.storage.state.bookings) == 1
    assert product.telemetry.seen == {}


async def test_integrations_with_lost_webhooks_are_counted(
    product: Product, process: Process
) -> None:
    """The result has the number of integrations with lost webhooks."""
    hosts = [await host(product, name) for name in ("ada", "bob", "cid")]
    for each in hosts:
        await subscribe(product, each)
    await process.reconcile_all(None, 10, lambda _: None)
    product.clock.advance(timedelta(hours=1))
    product.calendly.invitee_books(hosts[1].event_type.uri, hosts[1].starts[0])
    product.clock.advance(IN_FLIGHT)

    job_result = await process.reconcile_all(None, 10, lambda _: None)

    assert job_result.done == {"unchanged": 2, "repaired": 1}
    assert product.telemetry.seen[("bookings_repaired",)] == 1


async def test_what_no_webhook_could_tell_was_not_lost(product: Product, process: Process) -> None:
    """An integration without a subscription is reconciled, with a result of its own."""
    ada = await host(product)
    await process.reconcile_all(None, 10, lambda _: None)
    product.clock.advance(timedelta(hours=1))
    for start in ada.starts[:2]:
        product.calendly.invitee_books(ada.event_type.uri, start)
    product.clock.advance(IN_FLIGHT)

    assert await process.reconcile_all.one(ada.integration.id) == ("unsubscribed", 2)

    assert len(product.storage.state.bookings) == 2
    assert product.telemetry.seen == {}
    assert (await product.stored(ada.integration.id)).repaired_count == 0
    product.clock.advance(timedelta(seconds=1))
    again = await process.reconcile_all(None, 10, lambda _: None)
    assert again.done == {"unchanged": 1}


async def test_pages_follow_each_other(product: Product, process: Process) -> None:
    """The cursor of a page leads to the next one, and no integration is left out."""
    hosts = [await host(product, f"user-{number}") for number in range(3)]

    first = await process.reconcile_all(None, 2, lambda _: None)
    second = await process.reconcile_all(first.cursor, 2, lambda _: None)
    third = await process.reconcile_all(second.cursor, 2, lambda _: None)

    ids = [each.integration.id for each in hosts]
    cursors = [Place(NOON, each).written() for each in ids]
    assert first == JobResult(2, {"backfilled": 2}, cursor=cursors[1], more=True)
    assert second == JobResult(1, {"backfilled": 1}, cursor=cursors[2])
    assert third == JobResult(cursor=second.cursor)


async def test_one_failure_does_not_stop_the_others(product: Product, process: Process) -> None:
    """Each integration is reconciled, even if others fail."""
    for name in ("ada", "bob"):
        await host(product, name)
    product.calendly.fail_next("page", CalendlyForbidden("no"))

    job_result = await process.reconcile_all(None, 10, lambda _: None)

    assert job_result.done == {"backfilled": 1}
    assert job_result.failed == {"calendly_forbidden": 1}
