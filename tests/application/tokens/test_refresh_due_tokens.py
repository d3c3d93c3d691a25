from datetime import timedelta

import pytest

from application.jobs.job_result import JobResult
from application.tokens.refresh_due_tokens import RefreshDueTokens
from domain.errors import CalendlyThrottled, CalendlyUnavailable, CalendlyUncertain, ClientRefused
from domain.integration import REFRESH_OPEN_FOR, usable_tokens
from domain.token import LEFT_ALONE_FOR
from tests.application.support.building import Product
from tests.application.support.leasing import leased
from tests.application.support.process import BREAKER, CONCURRENCY, LEASE, Process

NEARLY_DEAD = timedelta(minutes=100)


async def test_what_would_die_soon_is_refreshed(product: Product, process: Process) -> None:
    """The proactive refresh renews what dies before the next run ends, and nothing else."""
    due = await product.connect("ada")
    product.clock.advance(NEARLY_DEAD)
    fresh = await product.connect("bob")
    progress: list[JobResult] = []

    job_result = await process.refresh_due(10, progress.append)

    assert job_result == JobResult(examined=1, done={"refreshed": 1})
    assert usable_tokens(await product.stored(due.id)).version == 2
    assert await product.stored(fresh.id) == fresh
    assert [each.examined for each in progress] == [1]


async def test_one_failure_does_not_stop_the_others(product: Product, process: Process) -> None:
    """Each integration of a page is refreshed regardless of the others' results."""
    connected = [await product.connect(name) for name in ("ada", "bob", "cid", "dan")]
    product.calendly.revoke_grants(connected[0].account.user_uri)
    product.clock.advance(NEARLY_DEAD)

    job_result = await process.refresh_due(10, lambda _: None)

    assert job_result == JobResult(
        examined=4,
        done={"refreshed": 3},
        failed={"grant_refused": 1},
        held_by="put_off",
        resume_in=15 * 60,
    )


async def test_a_full_page_promises_more(product: Product, process: Process) -> None:
    """Pages follow each other until one is not full; none is refreshed twice."""
    for name in ("ada", "bob", "cid"):
        await product.connect(name)
    product.clock.advance(NEARLY_DEAD)

    pages = [await process.refresh_due(2, lambda _: None) for _ in range(2)]

    assert [(page.examined, page.more) for page in pages] == [(2, True), (1, False)]
    assert product.calendly.calls["refresh"] == 3


async def test_what_failed_is_left_alone_for_a_while(product: Product, process: Process) -> None:
    """The job does not hammer: a failed integration is not due before its pause is over."""
    await product.connect()
    product.clock.advance(NEARLY_DEAD)
    product.calendly.fail_next("refresh", CalendlyUnavailable("down"))
    await process.refresh_due(10, lambda _: None)

    again = await process.refresh_due(10, lambda _: None)
    product.clock.advance(timedelta(minutes=1))
    later = await process.refresh_due(10, lambda _: None)

    assert again.examined == 0
    assert later.done == {"refreshed": 1}


async def test_a_lease_that_ran_out_in_the_queue_is_not_used(
    product: Product, process: Process
) -> None:
    """A row that waited longer than its lease lasts is left for the next run."""
    for number in range(CONCURRENCY + 1):
        await product.connect(f"user-{number}")
    product.clock.advance(NEARLY_DEAD)

    def time_passes(job_result: JobResult) -> None:
        if job_result.examined == 1:
            product.clock.advance(LEASE)

    job_result = await process.refresh_due(10, time_passes)

    assert job_result.done["left_for_later"] == 1
    assert product.calendly.calls["refresh"] == CONCURRENCY


async def test_a_refresh_that_was_taken_over_is_left_to_the_other(
    product: Product, process: Process
) -> None:
    """An account whose refresh may be under way still is waited for, and no failure of this run."""
    connected = await product.connect()
    product.clock.advance(NEARLY_DEAD)
    product.calendly.fail_next("refresh", CalendlyUncertain("lost"), processed=True)
    with pytest.raises(CalendlyUncertain):
        await process.refresh_under_lease.run(*await leased(product, connected.id))
    product.clock.advance(REFRESH_OPEN_FOR / 2)

    job_result = await process.refresh_due(10, lambda _: None)

    half = REFRESH_OPEN_FOR / 2
    assert job_result == JobResult(held_by="put_off", resume_in=int(half.total_seconds()))


async def test_a_horizon_beyond_a_tokens_life_comes_to_an_end(
    product: Product, process: Process
) -> None:
    """At any horizon a run refreshes each account once."""
    await product.connect()
    ahead = RefreshDueTokens(
        storage=product.storage,
        refresh=process.refresh_under_lease,
        recover=process.recover,
        circuit_breakers=process.circuit_breakers,
        clock=product.clock,
        randomness=product.randomness,
        telemetry=product.telemetry,
        owner="process-1",
        lease_ttl=LEASE,
        horizon=timedelta(hours=24),
        concurrency=CONCURRENCY,
        client_id=process.calendly.client_id,
        per_second=0,
    )

    pages = [await ahead(1, lambda _: None) for _ in range(2)]
    product.clock.advance(LEFT_ALONE_FOR)
    later = await ahead(1, lambda _: None)

    assert [page.examined for page in pages] == [1, 0]
    assert later.done == {"refreshed": 1}


async def test_two_workers_share_the_work(product: Product, process: Process) -> None:
    """An integration that one worker has claimed is skipped by the other."""
    await product.connect()
    product.clock.advance(NEARLY_DEAD)
    now = product.clock.now()
    async with product.storage() as uow:
        await uow.refresh_queue.claim_due("process-2", now, now + LEASE, now + LEASE * 60, 10)
        await uow.commit()

    job_result = await process.refresh_due(10, lambda _: None)

    assert job_result == JobResult(held_by="put_off", resume_in=int(LEASE.total_seconds()))


async def test_an_open_breaker_holds_the_whole_job(product: Product, process: Process) -> None:
    """While Calendly's OAuth is down the job claims nothing and says when it goes on."""
    for number in range(CONCURRENCY * 4):
        await product.connect(f"user-{number}")
    product.clock.advance(NEARLY_DEAD)
    down = CalendlyUnavailable("down")
    product.calendly.fail_always("refresh", down)
    await process.refresh_due(CONCURRENCY * 4, lambda _: None)
    sent = product.calendly.calls["refresh"]

    held = await process.refresh_due(10, lambda _: None)

    assert held.examined == 0
    assert held.held_by == "circuit_open"
    assert held.resume_in is not None
    assert held.resume_in >= BREAKER.reset.total_seconds()
    assert product.calendly.calls["refresh"] == sent < CONCURRENCY * 4


async def test_one_integration_is_the_probe(product: Product, process: Process) -> None:
    """Once the reset time is over one account is tried; its success lets all others go."""
    for number in range(CONCURRENCY * 4):
        await product.connect(f"user-{number}")
    product.clock.advance(NEARLY_DEAD)
    down = CalendlyUnavailable("down")
    product.calendly.fail_always("refresh", down)
    await process.refresh_due(CONCURRENCY * 4, lambda _: None)
    product.calendly.heal()
    product.clock.advance(2 * BREAKER.reset)

    probe = await process.refresh_due(100, lambda _: None)
    rest = await process.refresh_due(100, lambda _: None)

    assert (probe.done, probe.more) == ({"refreshed": 1}, True)
    assert rest.done["refreshed"] >= CONCURRENCY


async def test_a_long_postponement_is_left_to_the_next_run(
    product: Product, process: Process
) -> None:
    """A run does not stay for an account that cannot be tried within a quarter of an hour."""
    await product.connect()
    product.clock.advance(NEARLY_DEAD)
    product.calendly.fail_next("refresh", CalendlyThrottled("slow down", retry_after=1800))
    await process.refresh_due(10, lambda _: None)

    again = await process.refresh_due(10, lambda _: None)

    assert again == JobResult()


async def test_a_wrong_client_secret_is_no_storm(product: Product, process: Process) -> None:
    """While our app itself is refused every account is tried once an hour, not again and again."""
    for name in ("ada", "bob", "cid"):
        await product.connect(name)
    product.clock.advance(NEARLY_DEAD)
    product.calendly.fail_always("refresh", ClientRefused("wrong secret"))

    first = await process.refresh_due(10, lambda _: None)
    product.clock.advance(timedelta(minutes=50))
    second = await process.refresh_due(10, lambda _: None)

    assert first.failed == {"client_refused": 3}
    assert second.examined == 0
    assert product.calendly.calls["refresh"] == 3


async def test_a_bug_in_one_row_stops_no_other(product: Product, process: Process) -> None:
    """A bug in one account's refresh is counted and logged, and the others are refreshed."""
    for name in ("ada", "bob", "cid"):
        await product.connect(name)
    product.clock.advance(NEARLY_DEAD)
    product.storage.fail_next(*[None] * 5, RuntimeError("a bug"))

    job_result = await process.refresh_due(10, lambda _: None)

    assert job_result.failed == {"unexpected": 1}
    assert job_result.done == {"refreshed": 2}
    assert product.telemetry.seen["job_row_failed", "RuntimeError"] == 1
