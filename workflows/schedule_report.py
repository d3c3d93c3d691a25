"""The schedules as Temporal has them, for people."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

import msgspec
from temporalio.client import Client, ScheduleDescription
from temporalio.service import RPCError, RPCStatusCode

from workflows.schedule_table import SCHEDULES, Recurring

RUNNING: Final = "on"
PAUSED: Final = "paused"
MISSING: Final = "missing"

_HEADINGS: Final = ("schedule (UTC)", "state", "cron", "next", "last run")


class ScheduleState(msgspec.Struct, frozen=True):
    """One schedule of the table, its next tick and its last run (UTC).

    `state` is `on`, `paused` or `missing`. An operator who pauses it may replace the note.
    """

    id: str
    cron: str
    state: str
    note: str = ""
    next_at: datetime | None = None
    last_at: datetime | None = None


async def read_schedules(
    client: Client, desired: Sequence[Recurring] = SCHEDULES
) -> list[ScheduleState]:
    """Return the state of each schedule, in the table's order."""
    return [await _read(client, one) for one in desired]


async def _read(client: Client, recurring: Recurring) -> ScheduleState:
    try:
        description = await client.get_schedule_handle(recurring.id).describe()
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return ScheduleState(id=recurring.id, cron=recurring.cron, state=MISSING)
        raise
    return _state(recurring, description)


def _state(recurring: Recurring, description: ScheduleDescription) -> ScheduleState:
    info, state = description.info, description.schedule.state
    return ScheduleState(
        id=recurring.id,
        cron=recurring.cron,
        state=PAUSED if state.paused else RUNNING,
        note=state.note or "",
        next_at=next(iter(info.next_action_times), None),
        last_at=info.recent_actions[-1].started_at if info.recent_actions else None,
    )


def as_lines(states: Sequence[ScheduleState]) -> Iterator[str]:
    """Yield what `slotkeeper schedules list` prints: a row each, and its note indented below.

    Nothing is cut off, and 80 columns suffice.
    """
    rows = [_HEADINGS, *map(_row, states)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row, note in zip(rows, ["", *(one.note for one in states)], strict=True):
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield "  ".join(cells).rstrip()
        if note:
            yield f"  {note}"


def _row(one: ScheduleState) -> tuple[str, ...]:
    return (one.id, one.state, one.cron, _time(one.next_at), _time(one.last_at))


def _time(moment: datetime | None) -> str:
    return "-" if moment is None else moment.strftime("%d %b %H:%M")
