"""Webhooks: ingest, the job that applies pending ones, and subscriptions."""

from datetime import timedelta

from adapters.calendly.bookings import CalendlyBookingsGateway
from adapters.calendly.subscriptions import CalendlySubscriptionsGateway
from adapters.calendly.webhooks import CalendlyWebhookReader
from adapters.wiring.calendly import Calendly
from adapters.wiring.resources import WEBHOOK_PATH, Resources
from application.resilience.group_commit import GroupCommit
from application.resilience.keyed_queue import KeyedQueue
from application.webhooks.apply_pending import ApplyPendingWebhooks
from application.webhooks.ensure_subscription import EnsureSubscription
from application.webhooks.fetch_unreadable import FetchUnreadable
from application.webhooks.ingest import Inbox, IngestWebhook
from application.webhooks.lock_contention import Contention, bypass_group, queue_key
from application.webhooks.store_batch import StoreBatch
from application.webhooks.store_or_defer import StoreOrDefer

# Deliveries in one transaction; a larger group saves little more.
GROUP_SIZE = 64
# A delivery takes three turns of the event loop from the socket to the group.
TURNS = 3
# Deliveries that wait for their group. All are written within about a second, well before
# Calendly's time-out (15 seconds); further ones are refused, and Calendly repeats them.
MAX_PENDING = 1000
# How long a group waits for each lock; its deliveries, and the groups behind it, wait as long.
# Groups of other processes hold such locks for tens of milliseconds; an erasure takes seconds.
GROUP_LOCK_WAIT = timedelta(milliseconds=250)
# The same for a single delivery, which waits a second time for the lock that stopped its group.
SINGLE_LOCK_WAIT = timedelta(milliseconds=100)
# An event without its integration waits only for another process that stores the same event.
UNLINKED_LOCK_WAIT = timedelta(seconds=1)
# Deliveries that are stored alone at a time, of different integrations: all connections but one.
SINGLE_CONCURRENCY = 5
# How long the job that applies pending webhooks waits for a lock before the next event.
JOB_LOCK_WAIT = timedelta(seconds=2)


def ingest_webhook(resources: Resources, *, grouped: bool = True) -> IngestWebhook:
    """Return the use case; if not `grouped`, each delivery has its own transaction."""
    return IngestWebhook(
        inbox=_grouped(resources)
        if grouped
        else _single(resources, None, Contention(resources.clock)),
        reader=CalendlyWebhookReader(),
        clock=resources.clock,
        telemetry=resources.telemetry,
        signing_keys=resources.settings.calendly_webhook_signing_key,
        tolerance=resources.settings.webhook_tolerance,
    )


def _grouped(resources: Resources) -> Inbox:
    contention = Contention(resources.clock)
    single = _single(resources, SINGLE_LOCK_WAIT, contention)
    singly = KeyedQueue(
        single, queue_key=queue_key, at_once=SINGLE_CONCURRENCY, most_waiting=MAX_PENDING
    )
    group = GroupCommit(
        _batch(resources, GROUP_LOCK_WAIT).store,
        singly=singly,
        at_most=GROUP_SIZE,
        most_waiting=MAX_PENDING,
        turns=TURNS,
    )
    return bypass_group(group, singly, contention)


def _single(resources: Resources, lock_wait: timedelta | None, contention: Contention) -> Inbox:
    return StoreOrDefer(
        batch=_batch(resources, lock_wait),
        patient_batch=_batch(resources, UNLINKED_LOCK_WAIT),
        contention=contention,
        jobs=resources.jobs,
        background=resources.background,
        clock=resources.clock,
        telemetry=resources.telemetry,
    ).store


def _batch(resources: Resources, lock_wait: timedelta | None) -> StoreBatch:
    storage = resources.webhook_storage
    storage = storage if lock_wait is None else storage.waiting(lock_wait)
    return StoreBatch(storage=storage, clock=resources.clock, randomness=resources.randomness)


def apply_webhooks(resources: Resources, calendly: Calendly) -> ApplyPendingWebhooks:
    return ApplyPendingWebhooks(
        storage=resources.storage.waiting(JOB_LOCK_WAIT),
        reader=CalendlyWebhookReader(),
        clock=resources.clock,
        randomness=resources.randomness,
        telemetry=resources.telemetry,
        fetch_unreadable=FetchUnreadable(
            session=calendly.session,
            calendly=CalendlyBookingsGateway(calendly.api),
            clock=resources.clock,
        ),
    )


def ensure_subscription(resources: Resources, calendly: Calendly) -> EnsureSubscription:
    return EnsureSubscription(
        storage=resources.storage,
        session=calendly.session,
        calendly=CalendlySubscriptionsGateway(calendly.api),
        clock=resources.clock,
        randomness=resources.randomness,
        telemetry=resources.telemetry,
        callback_base=resources.public(WEBHOOK_PATH),
        signing_key=resources.settings.calendly_webhook_signing_key[0],
    )
