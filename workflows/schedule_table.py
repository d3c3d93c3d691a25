"""The schedules as they ought to be: what runs when.

A schedule's id is also the beginning of its runs' workflow ids; Temporal appends the fire time.
So a scheduled run never attaches to one that was started by hand: the leases on the rows are what
keeps two runs from doing the same work.
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

CATCHUP: Final = timedelta(minutes=10)
"""After an outage, ticks older than this are dropped: each run takes up all that is due anyway.
Temporal's own default is a year."""


class Recurring(msgspec.Struct, frozen=True):
    """One schedule.

    Args:
        id: of the schedule.
        workflow: the type that it starts.
        cron: when, in UTC.
        jitter: each tick is delayed by up to this, so that not all start in the same second.
        note: what it is for, in the Temporal UI.

    """

    id: str
    workflow: str
    cron: str
    jitter: timedelta
    note: str


SCHEDULES: Final = (
    Recurring(
        id=contract.REFRESH_TOKENS_ID,
        workflow=contract.REFRESH_TOKENS,
        cron="0 * * * *",
        # The refresh horizon (75 min by default) covers an hour with this at both ends.
        jitter=timedelta(minutes=2),
        note="Refreshes every token that would die before the next run ends.",
    ),
    Recurring(
        id=contract.SYNC_AVAILABILITY_ID,
        workflow=contract.SYNC_AVAILABILITY,
        cron="*/15 * * * *",
        jitter=timedelta(seconds=30),
        note="Refills availability caches that are expired or invalidated.",
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
        # Beside the full hour, at which the token refresh runs.
        cron="7,37 * * * *",
        jitter=timedelta(seconds=30),
        note="Compares desired and actual webhook subscriptions, and mends them.",
    ),
    Recurring(
        id=contract.FILL_GAPS_ID,
        workflow=contract.FILL_GAPS,
        # Shortly after the healing, which finds the gaps.
        cron="12,42 * * * *",
        jitter=timedelta(seconds=30),
        note="Back-fills bookings of the time in which a webhook subscription was down.",
    ),
    Recurring(
        id=contract.RECONCILE_BOOKINGS_ID,
        workflow=contract.RECONCILE_BOOKINGS,
        cron="23 */6 * * *",
        jitter=timedelta(seconds=30),
        note="Compares our bookings with Calendly's; repairs mean that webhooks were lost.",
    ),
    Recurring(
        id=contract.PRUNE_WEBHOOKS_ID,
        workflow=contract.PRUNE_WEBHOOKS,
        # When the fewest people book, and beside the other jobs.
        cron="41 3 * * *",
        jitter=timedelta(minutes=5),
        note="Deletes stored webhooks, and what else outlived its use, after its time.",
    ),
)


def as_schedule(recurring: Recurring, task_queue: str) -> Schedule:
    """Return the schedule as Temporal's client takes it."""
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
