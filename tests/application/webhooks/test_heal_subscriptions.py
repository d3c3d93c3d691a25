from application.jobs.job_result import JobResult
from domain.errors import CalendlyForbidden
from tests.application.support.building import Product
from tests.application.support.process import Process


async def test_all_live_integrations_are_healed(product: Product, process: Process) -> None:
    """Every live integration is looked after, a page at a time, each exactly once."""
    connected = [await product.connect(f"user-{number}") for number in range(5)]
    await product.mark_disconnecting(connected[2].id)
    product.calendly.calls.clear()

    pages: list[JobResult] = []
    cursor, more = None, True
    while more:
        page = await process.heal(cursor, 2, lambda _: None)
        pages.append(page)
        cursor, more = page.cursor, page.more

    total = pages[0].plus(pages[1]).plus(pages[2])
    assert [page.examined for page in pages] == [3, 2, 0]
    assert total.done == {"created": 4, "disconnect_resumed": 1}
    assert product.calendly.calls["create"] == 4


async def test_results_are_counted_by_kind(product: Product, process: Process) -> None:
    """The result counts kept, created and replaced subscriptions, and failures by code."""
    connected = [await product.connect(f"user-{number}") for number in range(3)]
    for each in connected[:2]:
        await process.ensure(each.id)
    disabled = (await product.stored(connected[0].id)).subscription
    assert disabled is not None
    assert disabled.uri is not None
    product.calendly.change_subscription(disabled.uri, state="disabled")
    product.calendly.revoke_grants((await product.connect("late")).account.user_uri)
    progress: list[JobResult] = []

    job_result = await process.heal(None, 10, progress.append)

    assert job_result.done == {"replaced": 1, "kept": 1, "created": 1}
    assert job_result.failed == {"reauth_required": 1}
    assert (job_result.examined, job_result.more) == (4, False)
    assert [each.examined for each in progress] == [1, 2, 3, 4]


async def test_one_failure_does_not_stop_the_others(product: Product, process: Process) -> None:
    """A user whose plan has no webhooks does not keep others from theirs."""
    for number in range(3):
        await product.connect(f"user-{number}")
    product.calendly.fail_next("create", CalendlyForbidden("upgrade"))

    job_result = await process.heal(None, 10, lambda _: None)

    assert job_result.done == {"created": 2}
    assert job_result.failed == {"calendly_forbidden": 1}


async def test_a_run_without_integrations_ends_immediately(process: Process) -> None:
    """Without integrations the run ends immediately."""
    assert await process.heal(None, 10, lambda _: None) == JobResult()


async def test_an_abandoned_disconnection_is_resumed(product: Product, process: Process) -> None:
    """A disconnect that was requested while Temporal was unavailable is resumed, once."""
    leaving = await product.connect("leaving")
    await product.mark_disconnecting(leaving.id)
    progress: list[JobResult] = []

    first = await process.heal(None, 10, progress.append)
    again = await process.heal(None, 10, progress.append)

    assert product.jobs.started == [f"integration/{leaving.id}/disconnect"]
    assert first == JobResult(examined=1, done={"disconnect_resumed": 1})
    assert again == JobResult()
    assert progress == [first]


async def test_without_the_engine_subscriptions_are_healed(
    product: Product, process: Process
) -> None:
    """A disconnect that cannot be resumed yet does not delay the others."""
    for name in ("one", "two"):
        await product.mark_disconnecting((await product.connect(name)).id)
    await product.connect("staying")
    product.jobs.down = True
    progress: list[JobResult] = []

    job_result = await process.heal(None, 10, progress.append)

    assert (job_result.done, job_result.failed) == ({"created": 1}, {"jobs_unavailable": 1})
    assert progress[-1].examined == 2
