import asyncio
from datetime import timedelta
from uuid import uuid4

import msgspec
import pytest
from structlog.testing import capture_logs
from temporalio.client import Client, ScheduleActionStartWorkflow

from adapters.temporal.jobs import TemporalJobs
from adapters.temporal.schedules import ScheduleFaults, compare_schedules
from tests.workflows.eventually import eventually
from workflows.schedule_report import PAUSED, RUNNING, read_schedules
from workflows.schedule_sync import apply_schedules
from workflows.schedule_table import SCHEDULES, Recurring, as_schedule
from workflows.schedule_watch import create_missing, watching_schedules

pytestmark = pytest.mark.asyncio(loop_scope="session")

Table = tuple[Recurring, ...]

QUEUE = "nobody"


@pytest.fixture
def table() -> Table:
    """The table of schedules under ids that no other test has."""
    prefix = uuid4().hex[:8]
    return tuple(msgspec.structs.replace(one, id=f"{prefix}-{one.id}") for one in SCHEDULES)


async def test_missing_schedules_are_created_and_a_pause_stays(
    temporal: Client, table: Table
) -> None:
    """Of schedules that were deleted, the worker creates each; the others stay as they are."""
    paused = table[0]
    await apply_schedules(temporal, QUEUE, table[:2])
    await temporal.get_schedule_handle(paused.id).pause(note="Calendly maintenance")

    created = await create_missing(temporal, QUEUE, table)
    again = await create_missing(temporal, QUEUE, table)

    states = await read_schedules(temporal, table)
    assert created == [one.id for one in table[2:]]
    assert again == []
    assert [one.state for one in states] == [PAUSED, *[RUNNING] * (len(table) - 1)]
    assert states[0].note == "Calendly maintenance"


@pytest.mark.parametrize(
    ("queue", "workflow"), [("another-queue", None), (QUEUE, "AnotherWorkflow")]
)
async def test_another_installations_schedule_is_refused(
    temporal: Client, table: Table, queue: str, workflow: str | None
) -> None:
    """A schedule that starts something else stays as it is; the log names it."""
    first = table[0]
    theirs = msgspec.structs.replace(first, workflow=workflow or first.workflow)
    await temporal.create_schedule(first.id, as_schedule(theirs, queue))

    with capture_logs() as logs:
        created = await create_missing(temporal, QUEUE, table)

    expected = {one.id: one.workflow for one in table}
    description = await temporal.get_schedule_handle(first.id).describe()
    action = description.schedule.action
    assert isinstance(action, ScheduleActionStartWorkflow)
    assert (action.workflow, action.task_queue) == (theirs.workflow, queue)
    assert created == [one.id for one in table[1:]]
    refused = [each["schedule"] for each in logs if each["event"] == "schedule.refused"]
    assert refused == [first.id]
    assert await compare_schedules(temporal, QUEUE, expected) == ScheduleFaults((), (first.id,))


async def test_a_schedule_deleted_under_a_worker_is_reported(
    temporal: Client, table: Table
) -> None:
    """The worker goes on comparing: a later deletion is reported, and not undone by it."""
    reports: list[ScheduleFaults] = []

    async def sound() -> bool:
        return bool(reports) and reports[-1] == ScheduleFaults()

    async def missing() -> bool:
        return reports[-1] == ScheduleFaults(missing=(table[1].id,))

    async with watching_schedules(
        temporal, QUEUE, reports.append, desired=table, interval=timedelta(seconds=0.1)
    ):
        await eventually(sound)
        await temporal.get_schedule_handle(table[1].id).delete()
        await eventually(missing)
    count = len(reports)
    await asyncio.sleep(0.3)

    assert len(reports) == count


async def test_the_web_process_sees_the_same_faults(temporal: Client) -> None:
    """Readiness and the doctor find a real schedule that was deleted, until it is created again."""
    jobs = TemporalJobs(temporal, task_queue=f"queue-{uuid4()}")
    await create_missing(temporal, "slotkeeper")
    await temporal.get_schedule_handle(SCHEDULES[2].id).delete()

    deleted = await jobs.schedule_faults()

    await create_missing(temporal, "slotkeeper")
    assert deleted.missing == (SCHEDULES[2].id,)
    assert set(deleted.different) == {one.id for one in SCHEDULES} - {SCHEDULES[2].id}
    assert await TemporalJobs(temporal).schedule_faults() == ScheduleFaults()
