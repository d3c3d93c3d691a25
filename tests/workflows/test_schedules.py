from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import msgspec
import pytest
from temporalio.client import (
    Client,
    ScheduleActionStartWorkflow,
    ScheduleOverlapPolicy,
    ScheduleRange,
)

from tests.workflows.eventually import eventually
from workflows.schedule_report import MISSING, PAUSED, RUNNING, read_schedules
from workflows.schedule_sync import apply_schedules
from workflows.schedule_table import SCHEDULES, Recurring, as_schedule

pytestmark = pytest.mark.asyncio(loop_scope="session")

Table = tuple[Recurring, ...]

QUEUE = "nobody"


@pytest.fixture
def table() -> Table:
    """The table of schedules under ids that no other test has."""
    prefix = uuid4().hex[:8]
    return tuple(msgspec.structs.replace(one, id=f"{prefix}-{one.id}") for one in SCHEDULES)


async def listed(client: Client) -> set[str]:
    """Return the schedules' ids that visibility knows."""
    return {one.id async for one in await client.list_schedules()}


async def test_applying_creates_every_schedule_once(temporal: Client, table: Table) -> None:
    """The first apply creates the schedules, a second one finds them."""
    first = await apply_schedules(temporal, QUEUE, table)
    second = await apply_schedules(temporal, QUEUE, table)

    assert [line for line in first if line.startswith("created")] == [
        f"created {one.id}" for one in table
    ]
    assert [line for line in second if line.startswith("updated")] == [
        f"updated {one.id}" for one in table
    ]


def expand(ranges: Sequence[ScheduleRange]) -> set[int]:
    """Return the numbers that calendar ranges represent."""
    return {
        number
        for one in ranges
        for number in range(one.start, max(one.end, one.start) + 1, one.step)
    }


@pytest.mark.parametrize(
    ("place", "minutes", "hours"),
    [
        (0, {0}, set(range(24))),
        (1, {0, 15, 30, 45}, set(range(24))),
        (2, set(range(60)), set(range(24))),
        (3, {7, 37}, set(range(24))),
        (4, {12, 42}, set(range(24))),
        (5, {23}, {0, 6, 12, 18}),
    ],
)
async def test_each_schedule_ticks_when_it_should(
    temporal: Client, table: Table, place: int, minutes: set[int], hours: set[int]
) -> None:
    """Temporal understood each cron line as the minutes and hours that were meant."""
    await apply_schedules(temporal, QUEUE, table)

    spec = (await temporal.get_schedule_handle(table[place].id).describe()).schedule.spec

    [calendar] = spec.calendars
    assert expand(calendar.minute) == minutes
    assert expand(calendar.hour) == hours
    assert spec.jitter
    assert spec.jitter <= timedelta(minutes=2)


async def test_a_schedule_skips_overlaps_and_does_not_catch_up_for_long(
    temporal: Client, table: Table
) -> None:
    """After an outage no pile of missed runs starts, and no two runs of a schedule overlap."""
    await apply_schedules(temporal, QUEUE, table)

    for one in table:
        description = await temporal.get_schedule_handle(one.id).describe()
        policy, action = description.schedule.policy, description.schedule.action

        assert policy.overlap is ScheduleOverlapPolicy.SKIP
        assert policy.catchup_window == timedelta(minutes=10)
        assert not policy.pause_on_failure
        assert isinstance(action, ScheduleActionStartWorkflow)
        assert (action.id, action.task_queue) == (one.id, QUEUE)


async def test_a_pause_survives_a_deploy(temporal: Client, table: Table) -> None:
    """A paused schedule stays paused, with the operator's note, when schedules are applied."""
    await apply_schedules(temporal, QUEUE, table)
    handle = temporal.get_schedule_handle(table[0].id)
    await handle.pause(note="Calendly maintenance")

    await apply_schedules(temporal, QUEUE, table)
    state = (await handle.describe()).schedule.state

    assert state.paused
    assert state.note == "Calendly maintenance"


async def test_a_changed_table_reaches_the_server(temporal: Client, table: Table) -> None:
    """A new version's cron line replaces the old one."""
    await apply_schedules(temporal, QUEUE, table)
    changed = [msgspec.structs.replace(table[0], cron="5 * * * *")]

    await apply_schedules(temporal, QUEUE, changed)
    spec = (await temporal.get_schedule_handle(table[0].id).describe()).schedule.spec

    assert [expand(calendar.minute) for calendar in spec.calendars] == [{5}]


async def test_a_schedule_that_left_the_table_is_deleted(temporal: Client, table: Table) -> None:
    """Schedules of ours that a version no longer has go away; other people's stay."""
    foreign = f"foreign-{uuid4()}"
    await temporal.create_schedule(foreign, as_schedule(table[0], QUEUE))
    await apply_schedules(temporal, QUEUE, table)

    async def all_listed() -> bool:
        return {one.id for one in table} | {foreign} <= await listed(temporal)

    await eventually(all_listed)

    lines = await apply_schedules(temporal, QUEUE, table[1:])

    async def only_ours_went() -> bool:
        known = await listed(temporal)
        return table[0].id not in known and foreign in known

    await eventually(only_ours_went)
    assert f"deleted {table[0].id}" in lines
    await temporal.get_schedule_handle(foreign).delete()


async def test_the_report_tells_paused_from_missing(temporal: Client, table: Table) -> None:
    """The list shows for each schedule whether it runs, is paused or was never applied."""
    await apply_schedules(temporal, QUEUE, table[:2])
    await temporal.get_schedule_handle(table[1].id).pause(note="later")

    states = await read_schedules(temporal, table)

    assert [one.state for one in states] == [
        RUNNING,
        PAUSED,
        *[MISSING] * (len(table) - 2),
    ]
    assert states[0].next_at is not None
    assert states[0].next_at > datetime.now(UTC)
    assert states[1].note == "later"
