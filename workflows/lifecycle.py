"""A worker's lifecycle: wait for Temporal, report readiness, poll until a stop is requested."""

import asyncio
import random
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Final

import structlog
from temporalio.client import Client
from temporalio.worker import Worker

from domain.backoff import RetryPolicy, delay
from domain.errors import JobsUnavailable

log = structlog.get_logger(__name__)

RECONNECT: Final = RetryPolicy(base=timedelta(seconds=1), cap=timedelta(seconds=15))

_LOOK: Final = 0.05  # seconds between looks at whether polling began
_LOOK_AT_FAULTS: Final = 1.0  # seconds


def stop_on_signals() -> asyncio.Event:
    """Return an event that SIGTERM or SIGINT sets; needs the main thread's running loop."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return stop


async def connect_patiently(
    connect: Callable[[], Awaitable[Client]],
    stop: asyncio.Event,
    policy: RetryPolicy = RECONNECT,
) -> Client | None:
    """Return a client as soon as Temporal answers, or None when a stop is requested first.

    A worker that starts together with its Temporal must not die of being first.
    """
    attempt = 0
    while not stop.is_set():
        try:
            return await connect()
        except JobsUnavailable as error:
            attempt += 1
            # Not a secret: only spreads workers that wait for the same server.
            wait = delay(policy, attempt, random.uniform(0.5, 1))  # noqa: S311
            log.warning(
                "worker.waiting_for_temporal",
                reason=error.message,
                attempt=attempt,
                again_in=round(wait.total_seconds(), 1),
            )
            await _stopped_within(stop, wait)
    return None


async def run_worker(
    worker: Worker,
    stop: asyncio.Event,
    ready_file: Path | None,
    fault: Callable[[], str | None] = lambda: None,
) -> None:
    """Poll until a stop is requested, then let activities end within their grace.

    Args:
        worker: as built, not started.
        stop: set to end it.
        ready_file: exists while the worker polls and has no fault.
        fault: returns why this process is not ready, or None; asked each second.

    Raises:
        RuntimeError: the namespace does not exist, or polling became impossible.

    """
    running = asyncio.create_task(worker.run())
    stopping = asyncio.create_task(stop.wait())
    try:
        await _polling(worker, running, stop)
        async with _existing(ready_file if worker.is_running else None, fault):
            log.info("worker.ready", task_queue=worker.task_queue)
            await asyncio.wait({running, stopping}, return_when=asyncio.FIRST_COMPLETED)
        log.info("worker.stopping")
    finally:
        stopping.cancel()
        await worker.shutdown()
        await running


async def _polling(worker: Worker, running: asyncio.Task[None], stop: asyncio.Event) -> None:
    # The SDK has no event for it.
    while not (worker.is_running or running.done() or stop.is_set()):  # noqa: ASYNC110
        await asyncio.sleep(_LOOK)


async def first_of(*events: asyncio.Event) -> None:
    """Return when one of the events is set."""
    waits = [asyncio.create_task(each.wait()) for each in events]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for each in waits:
            each.cancel()
        await asyncio.gather(*waits, return_exceptions=True)


async def _stopped_within(stop: asyncio.Event, wait: timedelta) -> None:
    try:
        async with asyncio.timeout(wait.total_seconds()):
            await stop.wait()
    except TimeoutError:
        return


@asynccontextmanager
async def _existing(path: Path | None, fault: Callable[[], str | None]) -> AsyncIterator[None]:
    """Keep the file for as long as there is no fault."""
    if path is None:
        yield
        return
    _show(path, fault())
    watch = asyncio.create_task(_keep(path, fault))
    try:
        yield
    finally:
        watch.cancel()
        _remove(path)


async def _keep(path: Path, fault: Callable[[], str | None]) -> None:
    while True:
        await asyncio.sleep(_LOOK_AT_FAULTS)
        _show(path, fault())


def _show(path: Path, fault: str | None) -> None:
    if fault is None:
        path.touch()
    elif path.exists():
        path.unlink()
        log.warning("worker.not_ready", reason=fault)


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)
