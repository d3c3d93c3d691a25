"""Comparing Temporal's schedules with those that this version expects.

A schedule that is paused is neither missing nor different: an operator's pause is a decision.
"""

import asyncio
from collections.abc import Iterator, Mapping

import msgspec
from temporalio.client import Client, ScheduleActionStartWorkflow, ScheduleDescription
from temporalio.service import RPCError, RPCStatusCode

from adapters.temporal import contract

REMEDY = "Run: slotkeeper schedules apply"


class ScheduleFaults(msgspec.Struct, frozen=True):
    """The schedules that do not start their job, by id.

    Args:
        missing: those that Temporal does not have.
        different: those that start another workflow, or at another task queue; another
            installation may own them.

    """

    missing: tuple[str, ...] = ()
    different: tuple[str, ...] = ()

    def fault(self) -> str | None:
        """Return the faults as one phrase, or None when there are none."""
        return "; ".join(self._phrases()) or None

    def _phrases(self) -> Iterator[str]:
        if self.missing:
            yield f"missing: {', '.join(self.missing)}"
        if self.different:
            yield f"of another workflow or task queue: {', '.join(self.different)}"


async def compare_schedules(
    client: Client,
    task_queue: str = contract.TASK_QUEUE,
    expected: Mapping[str, str] = contract.SCHEDULED,
) -> ScheduleFaults:
    """Describe each expected schedule, all at the same time.

    Args:
        client: of the namespace.
        task_queue: at which each schedule starts its workflow.
        expected: workflow types by the id of their schedule.

    Raises:
        RPCError: Temporal refused a call for another reason than an unknown schedule.

    """
    described = await asyncio.gather(*(_describe(client, id_) for id_ in expected))
    found = dict(zip(expected, described, strict=True))
    return ScheduleFaults(
        missing=tuple(id_ for id_, one in found.items() if one is None),
        different=tuple(
            id_
            for id_, one in found.items()
            if one is not None and not _starts(one, expected[id_], task_queue)
        ),
    )


async def _describe(client: Client, schedule_id: str) -> ScheduleDescription | None:
    try:
        return await client.get_schedule_handle(schedule_id).describe()
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return None
        raise


def _starts(description: ScheduleDescription, workflow: str, task_queue: str) -> bool:
    action = description.schedule.action
    return (
        isinstance(action, ScheduleActionStartWorkflow)
        and action.workflow == workflow
        and action.task_queue == task_queue
    )
