from datetime import timedelta

from domain.errors import CalendlyForbidden
from domain.integration import Gap
from tests.application.support.building import Product
from tests.application.support.host_setup import Host, host, subscribe
from tests.application.support.process import Process


async def missed(product: Product, process: Process, of: Host) -> None:
    """Let a booking of the last hour be lost, after all had been well."""
    await subscribe(product, of)
    await process.reconcile(of.integration.id, backfill=True)
    product.clock.advance(timedelta(hours=1))
    product.calendly.invitee_books(of.event_type.uri, of.starts[0])
    now = product.clock.now()
    async with product.storage() as uow:
        await uow.integrations.put_gap(of.integration.id, Gap(now - timedelta(hours=1), now))
        await uow.commit()


async def test_only_open_gaps_are_worked_on(product: Product, process: Process) -> None:
    """Whose deliveries came through is left alone, and a gap is made up for once."""
    hosts = [await host(product, name) for name in ("ada", "bob", "cid")]
    await process.reconcile_all(None, 10, lambda _: None)
    await missed(product, process, hosts[1])
    product.calendly.calls.clear()

    first = await process.reconcile_all.fill_gaps(None, 10, lambda _: None)
    second = await process.reconcile_all.fill_gaps(None, 10, lambda _: None)

    assert first.done == {"repaired": 1}
    assert second.examined == 0
    assert product.calendly.calls["page"] == 1


async def test_a_gap_that_could_not_be_made_up_for_stays_open(
    product: Product, process: Process
) -> None:
    """A refusal is counted by its code, does not delay the others, and the next run tries again."""
    for name in ("ada", "bob"):
        await missed(product, process, await host(product, name))
    product.calendly.fail_next("page", CalendlyForbidden("no"))

    first = await process.reconcile_all.fill_gaps(None, 10, lambda _: None)
    second = await process.reconcile_all.fill_gaps(None, 10, lambda _: None)

    assert (first.done, first.failed) == ({"repaired": 1}, {"calendly_forbidden": 1})
    assert (second.examined, second.done) == (1, {"repaired": 1})


async def test_pages_follow_each_other(product: Product, process: Process) -> None:
    """The walk through open gaps goes page by page."""
    for number in range(3):
        await missed(product, process, await host(product, f"user-{number}"))

    first = await process.reconcile_all.fill_gaps(None, 2, lambda _: None)
    second = await process.reconcile_all.fill_gaps(first.cursor, 2, lambda _: None)

    assert (first.done, first.more) == ({"repaired": 2}, True)
    assert (second.done, second.more) == ({"repaired": 1}, False)
