"""Making Temporal's schedules those of the table, without undoing what an operator did.

The last writer wins (the server takes updates without a conflict token), so this runs from one
place: the deploy step, never every worker's start. A worker only creates what is missing.
"""

import dataclasses
from collections.abc import Sequence
from typing import Final

from temporalio.client import (
    Client,
    ScheduleAlreadyRunningError,
    ScheduleUpdate,
    ScheduleUpdateInput,
)
from temporalio.service import RPCError, RPCStatusCode

from workflows.schedule_table import SCHEDULES, Recurring, as_schedule

OWNER: Final = {"owner": "slotkeeper"}
"""The memo that marks a schedule as ours, so that it goes when the table no longer has it."""


async def apply_schedules(
    client: Client, task_queue: str, desired: Sequence[Recurring] = SCHEDULES
) -> list[str]:
    """Create, update or delete schedules until they are the desired ones; may be repeated.

    An operator's changes to a schedule stay: paused or not, the note, the remaining actions.
    Schedules without our memo are never deleted.

    Returns:
        One line for each schedule touched, such as `created refresh-calendly-tokens`.

    """
    lines = [await _put(client, one, task_queue) for one in desired]
    unknown = await _owned(client) - {one.id for one in desired}
    return lines + [f"deleted {id_}" for id_ in sorted(unknown) if await _delete(client, id_)]


async def _put(client: Client, recurring: Recurring, task_queue: str) -> str:
    schedule = as_schedule(recurring, task_queue)

    def keeping_state(current: ScheduleUpdateInput) -> ScheduleUpdate:
        state = current.description.schedule.state
        return ScheduleUpdate(schedule=dataclasses.replace(schedule, state=state))

    try:
        await client.create_schedule(recurring.id, schedule, memo=OWNER)
    except ScheduleAlreadyRunningError:
        await client.get_schedule_handle(recurring.id).update(keeping_state)
        return f"updated {recurring.id}"
    return f"created {recurring.id}"


async def _owned(client: Client) -> set[str]:
    listing = await client.list_schedules()
    return {one.id async for one in listing if (await one.memo()).get("owner") == OWNER["owner"]}


async def _delete(client: Client, schedule_id: str) -> bool:
    try:
        await client.get_schedule_handle(schedule_id).delete()
    except RPCError as error:
        # The list lags behind: it was deleted a moment ago.
        if error.status is RPCStatusCode.NOT_FOUND:
            return False
        raise
    return True
