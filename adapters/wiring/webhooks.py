"""Webhooks: taking them in and keeping them coming."""

from adapters.calendly.subscriptions import CalendlySubscriptionsGateway
from adapters.calendly.webhooks import CalendlyWebhookReader
from adapters.wiring.addresses import WEBHOOK_PATH, public
from adapters.wiring.calendly import Calendly
from adapters.wiring.resources import Resources
from application.apply_webhooks import ApplyWebhooks
from application.ensure_subscription import EnsureSubscription
from application.ingest_webhook import IngestWebhook


def ingest_webhook(made: Resources) -> IngestWebhook:
    """Wire the use case."""
    return IngestWebhook(
        storage=made.storage,
        reader=CalendlyWebhookReader(),
        jobs=made.jobs,
        background=made.background,
        clock=made.clock,
        entropy=made.entropy,
        signals=made.signals,
        signing_keys=made.settings.calendly_webhook_signing_key,
        tolerance=made.settings.webhook_tolerance,
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
        entropy=made.entropy,
        signals=made.signals,
        callback_base=public(made, WEBHOOK_PATH),
    )
