import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import pytest
from temporalio.client import Client

from adapters.temporal import contract
from application.jobs.job_result import JobResult, Progress
from domain.backoff import RetryPolicy
from domain.errors import JobsUnavailable
from tests.workflows.eventually import eventually
from tests.workflows.fakes import DueRows
from tests.workflows.running import Bench
from workflows.assembly import build_worker
from workflows.catalog import activities_of
from workflows.lifecycle import connect_patiently, run_worker

pytestmark = pytest.mark.asyncio(loop_scope="session")

QUICK = RetryPolicy(base=timedelta(milliseconds=2), cap=timedelta(milliseconds=5))
SLOW = RetryPolicy(base=timedelta(hours=1), cap=timedelta(hours=1))


def connecting(client: Client, *, failures: int) -> Callable[[], Awaitable[Client]]:
    """Return a connect that fails so many times first."""
    left = failures

    async def connect() -> Client:
        nonlocal left
        left -= 1
        if left >= 0:
            raise JobsUnavailable("Temporal does not answer.")
        return client

    return connect


async def test_a_worker_waits_for_a_temporal_that_comes_up_later(bench: Bench) -> None:
    """Being started before its Temporal does not kill a worker."""
    client = await connect_patiently(connecting(bench.client, failures=3), asyncio.Event(), QUICK)

    assert client is bench.client


async def test_a_worker_that_waits_can_be_stopped(bench: Bench) -> None:
    """A stop ends the waiting immediately, for any time that was left."""
    stop = asyncio.Event()
    waiting = asyncio.create_task(
        connect_patiently(connecting(bench.client, failures=1000), stop, SLOW)
    )
    await asyncio.sleep(0)

    stop.set()

    assert await asyncio.wait_for(waiting, timeout=2) is None


async def test_the_ready_file_exists_while_the_worker_takes_work(
    bench: Bench, tmp_path: Path
) -> None:
    """A probe sees exactly whether work is being taken."""
    ready, stop = tmp_path / "ready", asyncio.Event()
    bench.use_cases.apply_webhooks = DueRows(rows=["applied"])
    worker = build_worker(
        bench.client,
        activities_of(bench.use_cases.services, page_size=2),
        task_queue=bench.task_queue,
    )
    running = asyncio.create_task(run_worker(worker, stop, ready))

    async def is_ready() -> bool:
        return ready.exists()

    await eventually(is_ready)
    handle = await bench.start(contract.APPLY_WEBHOOKS)
    assert await handle.result() == {"examined": 1, "done": {"applied": 1}}
    stop.set()
    await running

    assert not ready.exists()


async def test_the_ready_file_is_gone_while_there_is_a_fault(bench: Bench, tmp_path: Path) -> None:
    """A worker with a skewed clock is not ready; it becomes ready when the fault is over."""
    ready, stop, faults = tmp_path / "ready", asyncio.Event(), ["the clock is 62 s ahead"]
    worker = build_worker(
        bench.client,
        activities_of(bench.use_cases.services, page_size=2),
        task_queue=bench.task_queue,
    )
    running = asyncio.create_task(
        run_worker(worker, stop, ready, lambda: faults[0] if faults else None)
    )

    async def is_ready() -> bool:
        return ready.exists()

    async def is_running() -> bool:
        return worker.is_running

    await eventually(is_running)
    assert not ready.exists()
    faults.clear()
    await eventually(is_ready)
    faults.append("the clock is 62 s behind")

    async def is_not_ready() -> bool:
        return not ready.exists()

    await eventually(is_not_ready)
    stop.set()
    await running


async def test_a_worker_stopped_before_it_began_ends(bench: Bench, tmp_path: Path) -> None:
    """A stop that comes during the start leaves neither a worker nor a ready file."""
    stop = asyncio.Event()
    stop.set()
    worker = build_worker(
        bench.client,
        activities_of(bench.use_cases.services, page_size=2),
        task_queue=bench.task_queue,
    )

    await asyncio.wait_for(run_worker(worker, stop, tmp_path / "ready"), timeout=5)

    assert not (tmp_path / "ready").exists()


async def test_another_worker_takes_over_from_one_that_stops(temporal: Client) -> None:
    """A page that does not end within the grace is ended by the next worker, and counted once."""
    bench = Bench(temporal)
    begun = asyncio.Event()

    async def endless(_limit: int, progress: Progress) -> JobResult:
        progress(JobResult(examined=1, done={"synced": 1}))
        begun.set()
        await asyncio.Event().wait()
        raise AssertionError

    async def quick(_limit: int, _progress: Progress) -> JobResult:
        return JobResult(examined=2, done={"synced": 2})

    handle = await bench.start(contract.SYNC_AVAILABILITY)
    bench.use_cases.sync_due_availability = endless  # type: ignore[assignment]
    async with bench.working():
        await begun.wait()
    bench.use_cases.sync_due_availability = quick  # type: ignore[assignment]
    async with bench.working():
        result = await handle.result()

    assert result == {"examined": 3, "done": {"synced": 3}}
