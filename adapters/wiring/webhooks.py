"""Webhooks: taking them in and keeping them coming."""

from datetime import timedelta

from adapters.calendly.subscriptions import CalendlySubscriptionsGateway
from adapters.calendly.webhooks import CalendlyWebhookReader
from adapters.wiring.addresses import WEBHOOK_PATH, public
from adapters.wiring.calendly import Calendly
from adapters.wiring.resources import Resources
from application.ports.storage.unit_of_work import Storage
from application.resilience.group_commit import GroupCommit
from application.resilience.keyed_queue import KeyedQueue
from application.webhooks.apply_pending import ApplyPendingWebhooks
from application.webhooks.ensure_subscription import EnsureSubscription
from application.webhooks.ingest import Inbox, IngestWebhook
from application.webhooks.lock_contention import Contention, bypass_group, queue_key
from application.webhooks.store_batch import StoreBatch
from application.webhooks.store_single import StoreWebhook

# Deliveries in one transaction: beyond it a larger group saves little more.
GROUP = 64
# From the socket to the group a delivery takes three turns of the event loop.
TURNS = 3
# Deliveries that wait for their group. All of them are written within a second or so, well before
# Calendly gives up on an answer (15 seconds); those who come after them are told to come again.
MOST_WAITING = 1000
# How long a group waits for each lock, and everybody in it and after it with it. Groups of other
# processes, which hold the same locks, take tens of milliseconds; an erasure takes seconds.
GROUP_LOCK_WAIT = timedelta(milliseconds=250)
# The same for one delivery alone, which waits a second time for what held up its group.
SINGLE_LOCK_WAIT = timedelta(milliseconds=100)
# Stored unapplied, a delivery waits only for another process that stores the same one.
ASIDE_LOCK_WAIT = timedelta(seconds=1)
# Deliveries that are stored alone at a time, of different integrations: half of the connections.
LANES = 5
# How long the job of leftovers waits for a lock before it turns to the next event.
JOB_LOCK_WAIT = timedelta(seconds=2)


def ingest_webhook(made: Resources, *, grouped: bool = True) -> IngestWebhook:
    """Wire the use case; not `grouped`, every delivery is a transaction of its own."""
    return IngestWebhook(
        inbox=_grouped(made) if grouped else _store_webhook(made, made.storage),
        reader=CalendlyWebhookReader(),
        clock=made.clock,
        telemetry=made.telemetry,
        signing_keys=made.settings.calendly_webhook_signing_key,
        tolerance=made.settings.webhook_tolerance,
    )


def _grouped(made: Resources) -> Inbox:
    contention = Contention(made.clock)
    together = StoreBatch(
        storage=made.storage.waiting(GROUP_LOCK_WAIT), clock=made.clock, randomness=made.randomness
    )
    alone = _store_webhook(made, made.storage.waiting(SINGLE_LOCK_WAIT), contention)
    singly = KeyedQueue(alone, lane=queue_key, at_once=LANES, most_waiting=MOST_WAITING)
    group = GroupCommit(
        together, singly=singly, at_most=GROUP, most_waiting=MOST_WAITING, turns=TURNS
    )
    return bypass_group(group, singly, contention)


def _store_webhook(
    made: Resources, storage: Storage, contention: Contention | None = None
) -> StoreWebhook:
    return StoreWebhook(
        storage=storage,
        aside=made.storage.waiting(ASIDE_LOCK_WAIT),
        contention=contention or Contention(made.clock),
        jobs=made.jobs,
        background=made.background,
        clock=made.clock,
        randomness=made.randomness,
        telemetry=made.telemetry,
    )


def apply_webhooks(made: Resources) -> ApplyPendingWebhooks:
    """Wire the use case."""
    return ApplyPendingWebhooks(
        storage=made.storage.waiting(JOB_LOCK_WAIT),
        reader=CalendlyWebhookReader(),
        clock=made.clock,
        randomness=made.randomness,
        telemetry=made.telemetry,
    )


def ensure_subscription(made: Resources, calendly: Calendly) -> EnsureSubscription:
    """Wire the use case."""
    return EnsureSubscription(
        storage=made.storage,
        session=calendly.session,
        calendly=CalendlySubscriptionsGateway(calendly.api),
        clock=made.clock,
        randomness=made.randomness,
        telemetry=made.telemetry,
        callback_base=public(made, WEBHOOK_PATH),
        signing_key=made.settings.calendly_webhook_signing_key[0],
    )
