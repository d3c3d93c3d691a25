"""The desired schedules: which job runs when.

A schedule's id is also the beginning of its runs' workflow ids; Temporal appends the fire time.
So a scheduled run never attaches to a run started by hand; the leases on the rows keep two runs
from doing the same work.
"""

from datetime import timedelta
from typing import Final

import msgspec
from temporalio.client import (
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
    ScheduleState,
)

from adapters.temporal import contract
from domain.sync_plan import SYNC_INTERVAL

CATCHUP: Final = timedelta(minutes=10)
"""After an outage Temporal drops ticks older than this: each run takes all due work anyway.
Temporal's own default is a year."""


class Recurring(msgspec.Struct, frozen=True):
    """One schedule: when (`cron`, in UTC) it starts a workflow, and its note in the Temporal UI.

    Temporal delays each tick by up to `jitter`, so that jobs do not start together.
    """

    id: str
    workflow: str
    cron: str
    note: str
    jitter: timedelta = timedelta(seconds=30)


SCHEDULES: Final = (
    Recurring(
        id=contract.REFRESH_TOKENS_ID,
        workflow=contract.REFRESH_TOKENS,
        cron="0 * * * *",
        # The refresh horizon (75 min by default) covers an hour plus this jitter at both ends.
        jitter=timedelta(minutes=2),
        note="Refreshes every token that would expire before the next run ends.",
    ),
    Recurring(
        id=contract.SYNC_AVAILABILITY_ID,
        workflow=contract.SYNC_AVAILABILITY,
        cron=f"*/{SYNC_INTERVAL // timedelta(minutes=1)} * * * *",
        note="Refreshes availability caches that are expired or invalidated.",
    ),
    Recurring(
        id=contract.APPLY_WEBHOOKS_ID,
        workflow=contract.APPLY_WEBHOOKS,
        cron="* * * * *",
        jitter=timedelta(seconds=10),
        note="Applies stored webhooks that could not be applied on arrival.",
    ),
    Recurring(
        id=contract.HEAL_WEBHOOKS_ID,
        workflow=contract.HEAL_WEBHOOKS,
        # Not on the full hour: the token refresh runs then.
        cron="7,37 * * * *",
        note="Compares desired and actual webhook subscriptions, and repairs them.",
    ),
    Recurring(
        id=contract.FILL_GAPS_ID,
        workflow=contract.FILL_GAPS,
        # Shortly after the schedule that heals subscriptions, which finds the gaps.
        cron="12,42 * * * *",
        note="Back-fills the bookings of the time in which a webhook subscription was down.",
    ),
    Recurring(
        id=contract.RECONCILE_BOOKINGS_ID,
        workflow=contract.RECONCILE_BOOKINGS,
        cron="23 */6 * * *",
        note="Compares our bookings with Calendly's; repairs mean that webhooks were lost.",
    ),
    Recurring(
        id=contract.PRUNE_WEBHOOKS_ID,
        workflow=contract.PRUNE_WEBHOOKS,
        # Few people book at this time, and no other job starts.
        cron="41 3 * * *",
        jitter=timedelta(minutes=5),
        note="Deletes stored webhooks and other rows whose retention is over.",
    ),
)


def as_schedule(recurring: Recurring, task_queue: str) -> Schedule:
    """Return the schedule for Temporal's client."""
    return Schedule(
        action=ScheduleActionStartWorkflow(
            recurring.workflow,
            id=recurring.id,
            task_queue=task_queue,
            static_summary=recurring.note,
        ),
        spec=ScheduleSpec(cron_expressions=[recurring.cron], jitter=recurring.jitter),
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=CATCHUP),
        state=ScheduleState(note=recurring.note),
    )
