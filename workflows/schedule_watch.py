"""The worker's care for the schedules: it creates missing ones, and reports those that fail.

Creating is safe in every worker, because it changes no schedule that exists. A pause stays, and
so does the schedule of another installation. Updates are for `slotkeeper schedules apply`.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Final

import structlog
from temporalio.client import Client, ScheduleAlreadyRunningError

from adapters.temporal.reaching import reaching
from adapters.temporal.schedules import REMEDY, ScheduleFaults, compare_schedules
from domain.errors import JobsUnavailable
from workflows.schedule_sync import OWNER
from workflows.schedule_table import SCHEDULES, Recurring, as_schedule

log = structlog.get_logger(__name__)

INTERVAL: Final = timedelta(minutes=1)
_TIMEOUT: Final = timedelta(seconds=30)


async def create_missing(
    client: Client, task_queue: str, desired: Sequence[Recurring] = SCHEDULES
) -> list[str]:
    """Create the schedules that Temporal does not have; return their ids.

    A schedule that exists stays as it is. One that starts another workflow, or at another task
    queue, is refused with a warning in the log.

    Raises:
        RPCError: Temporal refused a call.

    """
    created = [one.id for one in desired if await _create(client, one, task_queue)]
    if created:
        log.info("schedules.created", schedules=created)
    faults = await _compare(client, task_queue, desired)
    for id_ in faults.different:
        log.warning(
            "schedule.refused",
            schedule=id_,
            reason="It starts another workflow, or at another task queue; it stays as it is.",
            remedy=REMEDY,
        )
    return created


@asynccontextmanager
async def watching_schedules(
    client: Client,
    task_queue: str,
    report: Callable[[ScheduleFaults], None],
    *,
    desired: Sequence[Recurring] = SCHEDULES,
    interval: timedelta = INTERVAL,
) -> AsyncIterator[None]:
    """Create missing schedules once, then report the faults at each interval, during the block.

    While Temporal refuses or does not answer, the log warns and the next interval tries again.

    Args:
        client: of the namespace.
        task_queue: at which the schedules start their workflows.
        report: receives the faults as they are now.
        desired: the schedules of this version.
        interval: between two comparisons.

    """
    watch = asyncio.create_task(_watch(client, task_queue, report, desired, interval))
    try:
        yield
    finally:
        watch.cancel()
        await asyncio.gather(watch, return_exceptions=True)


async def _watch(
    client: Client,
    task_queue: str,
    report: Callable[[ScheduleFaults], None],
    desired: Sequence[Recurring],
    interval: timedelta,
) -> None:
    complete = False
    while True:
        try:
            async with reaching(client, _TIMEOUT):
                if not complete:
                    await create_missing(client, task_queue, desired)
                    complete = True
                report(await _compare(client, task_queue, desired))
        except JobsUnavailable as error:
            log.warning("schedules.not_compared", reason=error.message)
        await asyncio.sleep(interval.total_seconds())


async def _create(client: Client, recurring: Recurring, task_queue: str) -> bool:
    try:
        await client.create_schedule(recurring.id, as_schedule(recurring, task_queue), memo=OWNER)
    except ScheduleAlreadyRunningError:
        return False
    return True


async def _compare(
    client: Client, task_queue: str, desired: Sequence[Recurring]
) -> ScheduleFaults:
    expected = {one.id: one.workflow for one in desired}
    return await compare_schedules(client, task_queue, expected)
