"""Webhooks: taking them in and keeping them coming."""

from adapters.calendly.subscriptions import CalendlySubscriptionsGateway
from adapters.calendly.webhooks import CalendlyWebhookReader
from adapters.wiring.addresses import WEBHOOK_PATH, public
from adapters.wiring.calendly import Calendly
from adapters.wiring.resources import Resources
from application.apply_webhooks import ApplyWebhooks
from application.ensure_subscription import EnsureSubscription
from application.group_commit import GroupCommit
from application.ingest_webhook import Inbox, IngestWebhook
from application.store_webhook import StoreWebhook
from application.store_webhooks import StoreWebhooks

# Deliveries in one transaction: beyond it a larger group saves little more.
GROUP = 64
# From the socket to the group a delivery takes three turns of the event loop.
TURNS = 3
# Deliveries that wait for their group. All of them are written within a second or so, well before
# Calendly gives up on an answer (15 seconds); those who come after them are told to come again.
MOST_WAITING = 1000


def ingest_webhook(made: Resources, *, grouped: bool = True) -> IngestWebhook:
    """Wire the use case; not `grouped`, every delivery is a transaction of its own."""
    singly = StoreWebhook(
        storage=made.storage,
        jobs=made.jobs,
        background=made.background,
        clock=made.clock,
        entropy=made.entropy,
        signals=made.signals,
    )
    return IngestWebhook(
        inbox=_grouped(made, singly) if grouped else singly,
        reader=CalendlyWebhookReader(),
        clock=made.clock,
        signals=made.signals,
        signing_keys=made.settings.calendly_webhook_signing_key,
        tolerance=made.settings.webhook_tolerance,
    )


def _grouped(made: Resources, singly: StoreWebhook) -> Inbox:
    together = StoreWebhooks(storage=made.storage, clock=made.clock, entropy=made.entropy)
    return GroupCommit(
        together, singly=singly, at_most=GROUP, most_waiting=MOST_WAITING, turns=TURNS
    )


def apply_webhooks(made: Resources) -> ApplyWebhooks:
    """Wire the use case."""
    return ApplyWebhooks(
        storage=made.storage,
        reader=CalendlyWebhookReader(),
        clock=made.clock,
        entropy=made.entropy,
        signals=made.signals,
    )


def ensure_subscription(made: Resources, calendly: Calendly) -> EnsureSubscription:
    """Wire the use case."""
    return EnsureSubscription(
        storage=made.storage,
        session=calendly.session,
        calendly=CalendlySubscriptionsGateway(calendly.api),
        clock=made.clock,
        entropy=made.entropy,
        signals=made.signals,
        callback_base=public(made, WEBHOOK_PATH),
    )
