"""Every activity's time-outs and retries, each with its reason.

`attempt` bounds one attempt and `total` the activity with all its retries. After `total` the
workflow fails visibly, and the schedule's next tick starts a new run.
"""

from datetime import timedelta
from typing import Final

from temporalio.common import RetryPolicy
from temporalio.workflow import ActivityCancellationType, ActivityConfig

HEARTBEAT: Final = timedelta(seconds=30)
"""Activities send three heartbeats in this time, whatever they wait for. Silence means that the
worker has died, so another worker may take the activity."""

# A whole page fails when PostgreSQL is down, during a deploy, or on a bug: wait up to a minute.
_PAGE_RETRIES: Final = RetryPolicy(
    initial_interval=timedelta(seconds=2),
    backoff_coefficient=2.0,
    maximum_interval=timedelta(minutes=1),
)

# A new user watches the first attempts; an outage at Calendly lasts longer than that.
_STEP_RETRIES: Final = RetryPolicy(
    initial_interval=timedelta(seconds=1),
    backoff_coefficient=2.0,
    maximum_interval=timedelta(minutes=5),
)


def _activity(
    summary: str,
    *,
    attempt: timedelta,
    total: timedelta | None,
    retries: RetryPolicy,
    cancellation: ActivityCancellationType = ActivityCancellationType.TRY_CANCEL,
) -> ActivityConfig:
    return ActivityConfig(
        summary=summary,
        start_to_close_timeout=attempt,
        schedule_to_close_timeout=total,
        heartbeat_timeout=HEARTBEAT,
        retry_policy=retries,
        cancellation_type=cancellation,
    )


def _page(summary: str, *, attempt: timedelta, total: timedelta) -> ActivityConfig:
    return _activity(
        summary,
        attempt=attempt,
        total=total,
        retries=_PAGE_RETRIES,
        # A token request under way must end and be stored before the workflow may.
        cancellation=ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    )


def _step(summary: str, *, attempt: timedelta, total: timedelta) -> ActivityConfig:
    return _activity(summary, attempt=attempt, total=total, retries=_STEP_RETRIES)


REFRESH_PAGE: Final = _page(
    "refresh a page of tokens",
    # A hundred exchanges, sixteen at a time, each a few seconds even when Calendly is slow.
    attempt=timedelta(minutes=5),
    # While PostgreSQL is down, new token pairs wait in its heartbeats and are lost with it. The
    # schedule's ticks are skipped until then; they could do nothing either.
    total=timedelta(hours=24),
)

REFRESH_WAITS: Final = timedelta(minutes=50)
"""How long a refresh run waits for delayed rows; it ends before the next hourly tick."""

SYNC_PAGE: Final = _page(
    "sync a page of availability",
    # Some ten requests a user, within each user's rate budget.
    attempt=timedelta(minutes=10),
    # A tick that finds this run open is skipped, so it ends before the second one.
    total=timedelta(minutes=25),
)

APPLY_PAGE: Final = _page(
    "apply a page of stored webhooks",
    # Database work only.
    attempt=timedelta(minutes=2),
    # The schedule ticks every minute; a longer outage shows as failed runs.
    total=timedelta(minutes=10),
)

HEAL_PAGE: Final = _page(
    "check a page of webhook subscriptions",
    # One or two lists an integration, rarely a create and a delete.
    attempt=timedelta(minutes=5),
    # Ends before the next half-hourly tick is due.
    total=timedelta(minutes=25),
)

PRUNE_PAGE: Final = _page(
    "prune a page of expired rows",
    # One statement over a thousand rows, two hundred bodies to open, or some thousand addresses.
    attempt=timedelta(minutes=2),
    # Runs once a day; after a long outage the next run continues.
    total=timedelta(hours=2),
)

RECONCILE_PAGE: Final = _page(
    "reconcile a page of integrations",
    # Every event of every integration of the page is listed with its invitees.
    attempt=timedelta(minutes=30),
    # Runs every six hours; a page may wait out a long outage.
    total=timedelta(hours=2),
)

FILL_GAPS_PAGE: Final = _page(
    "back-fill a page of gaps",
    # The same work as a page of the reconciliation, over a wider window.
    attempt=timedelta(minutes=30),
    # A tick that finds this run open is skipped; the next run takes the rest.
    total=timedelta(hours=2),
)

SUBSCRIBE: Final = _step(
    "subscribe to webhooks",
    attempt=timedelta(minutes=2),
    # Afterwards the schedule that heals subscriptions continues.
    total=timedelta(hours=1),
)

FIRST_SYNC: Final = _step(
    "first sync of availability",
    attempt=timedelta(minutes=5),
    # Afterwards the sync schedule continues.
    total=timedelta(hours=1),
)

BACKFILL: Final = _step(
    "back-fill of bookings",
    # A busy host has thousands of events, and each costs a request for its invitees.
    attempt=timedelta(hours=1),
    # Afterwards the reconciliation schedule, which comes every six hours, back-fills.
    total=timedelta(hours=6),
)

ERASE: Final = _activity(
    "unsubscribe, revoke, erase",
    attempt=timedelta(minutes=2),
    # The user asked for deletion: an outage at Calendly may delay it by a day at most.
    total=timedelta(hours=24),
    retries=RetryPolicy(
        initial_interval=timedelta(seconds=2),
        backoff_coefficient=2.0,
        maximum_interval=timedelta(minutes=10),
    ),
)

ERASE_FORCED: Final = _activity(
    "erase without Calendly",
    attempt=timedelta(minutes=2),
    # Retried without end: it must happen, and only PostgreSQL or a refresh can delay it.
    total=None,
    retries=_PAGE_RETRIES,
)
