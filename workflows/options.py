"""Every activity's time-outs and retries, each with its reason.

`schedule_to_close` bounds an activity with all its retries; after it the workflow fails visibly
and the schedule's next tick starts afresh.
"""

from datetime import timedelta
from typing import Final

from temporalio.common import RetryPolicy
from temporalio.workflow import ActivityCancellationType, ActivityConfig

HEARTBEAT: Final = timedelta(seconds=30)
"""Activities beat three times in this span whatever they wait for, so silence means that the
worker is gone and somebody else may take over."""

# A page that fails as a whole met PostgreSQL down, a deploy or a bug: all are worth a minute's wait.
_PATIENT: Final = RetryPolicy(
    initial_interval=timedelta(seconds=2),
    backoff_coefficient=2.0,
    maximum_interval=timedelta(minutes=1),
)

REFRESH_PAGE: Final = ActivityConfig(
    summary="refresh a page of tokens",
    # A hundred exchanges, sixteen at a time, each a few seconds even when Calendly is slow.
    start_to_close_timeout=timedelta(minutes=5),
    # New token pairs may wait in its heartbeat for PostgreSQL to come back: they end with it. The
    # ticks of the schedule are skipped meanwhile, and could do nothing either.
    schedule_to_close_timeout=timedelta(hours=24),
    heartbeat_timeout=HEARTBEAT,
    retry_policy=_PATIENT,
    # An exchange under way must end and be stored before the workflow may.
    cancellation_type=ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
)

REFRESH_WAITS: Final = timedelta(minutes=50)
"""How long a refresh run stays for what was put off; it ends before the next hourly tick."""

SYNC_PAGE: Final = ActivityConfig(
    summary="sync a page of availability",
    # Some ten requests a user, within each user's rate budget.
    start_to_close_timeout=timedelta(minutes=10),
    # A tick that finds this run open is skipped, so give up before the second one.
    schedule_to_close_timeout=timedelta(minutes=25),
    heartbeat_timeout=HEARTBEAT,
    retry_policy=_PATIENT,
    cancellation_type=ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
)

APPLY_PAGE: Final = ActivityConfig(
    summary="apply a page of stored webhooks",
    # Database work only.
    start_to_close_timeout=timedelta(minutes=2),
    # The schedule ticks every minute; a longer outage is better seen as failed runs.
    schedule_to_close_timeout=timedelta(minutes=10),
    heartbeat_timeout=HEARTBEAT,
    retry_policy=_PATIENT,
    cancellation_type=ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
)

HEAL_PAGE: Final = ActivityConfig(
    summary="check a page of webhook subscriptions",
    # One or two lists an integration, rarely a create and a delete.
    start_to_close_timeout=timedelta(minutes=5),
    # Ends before the next half-hourly tick is due.
    schedule_to_close_timeout=timedelta(minutes=25),
    heartbeat_timeout=HEARTBEAT,
    retry_policy=_PATIENT,
    cancellation_type=ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
)

PRUNE_PAGE: Final = ActivityConfig(
    summary="prune a page of what is over",
    # One statement over a thousand rows, two hundred bodies to open, or some thousand addresses.
    start_to_close_timeout=timedelta(minutes=2),
    # Runs once a day; what a long outage keeps from it waits for the next.
    schedule_to_close_timeout=timedelta(hours=2),
    heartbeat_timeout=HEARTBEAT,
    retry_policy=_PATIENT,
    cancellation_type=ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
)

RECONCILE_PAGE: Final = ActivityConfig(
    summary="reconcile a page of integrations",
    # Every event of every integration of the page is listed with its invitees.
    start_to_close_timeout=timedelta(minutes=30),
    # Runs every six hours; a page may wait out a long outage.
    schedule_to_close_timeout=timedelta(hours=2),
    heartbeat_timeout=HEARTBEAT,
    retry_policy=_PATIENT,
    cancellation_type=ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
)

FILL_GAPS_PAGE: Final = ActivityConfig(
    summary="back-fill a page of gaps",
    # As a page of the reconciliation, over a wider window.
    start_to_close_timeout=timedelta(minutes=30),
    # A tick that finds this run open is skipped; what is left is the next one's.
    schedule_to_close_timeout=timedelta(hours=2),
    heartbeat_timeout=HEARTBEAT,
    retry_policy=_PATIENT,
    cancellation_type=ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
)

# A new user watches the first attempts; an outage at Calendly lasts longer than that.
_WATCHED: Final = RetryPolicy(
    initial_interval=timedelta(seconds=1),
    backoff_coefficient=2.0,
    maximum_interval=timedelta(minutes=5),
)

SUBSCRIBE: Final = ActivityConfig(
    summary="subscribe to webhooks",
    start_to_close_timeout=timedelta(minutes=2),
    # Afterwards the healing schedule goes on.
    schedule_to_close_timeout=timedelta(hours=1),
    heartbeat_timeout=HEARTBEAT,
    retry_policy=_WATCHED,
)

FIRST_SYNC: Final = ActivityConfig(
    summary="first sync of availability",
    start_to_close_timeout=timedelta(minutes=5),
    # Afterwards the sync schedule goes on.
    schedule_to_close_timeout=timedelta(hours=1),
    heartbeat_timeout=HEARTBEAT,
    retry_policy=_WATCHED,
)

BACKFILL: Final = ActivityConfig(
    summary="back-fill of bookings",
    # A busy host has thousands of events, and each costs a request for its invitees.
    start_to_close_timeout=timedelta(hours=1),
    # Afterwards the reconciliation schedule, which comes every six hours, back-fills.
    schedule_to_close_timeout=timedelta(hours=6),
    heartbeat_timeout=HEARTBEAT,
    retry_policy=_WATCHED,
)

ERASE: Final = ActivityConfig(
    summary="unsubscribe, revoke, erase",
    start_to_close_timeout=timedelta(minutes=2),
    # The person asked to be forgotten: Calendly may keep us from it for a day, no longer.
    schedule_to_close_timeout=timedelta(hours=24),
    heartbeat_timeout=HEARTBEAT,
    retry_policy=RetryPolicy(
        initial_interval=timedelta(seconds=2),
        backoff_coefficient=2.0,
        maximum_interval=timedelta(minutes=10),
    ),
)

ERASE_FORCED: Final = ActivityConfig(
    summary="erase without Calendly",
    start_to_close_timeout=timedelta(minutes=2),
    # No end: only PostgreSQL, or a refresh under way, keeps this from happening, and it has to.
    heartbeat_timeout=HEARTBEAT,
    retry_policy=_PATIENT,
)
