"""What is kept of webhooks and invitees, for how long, and how it goes."""

from adapters.calendly.webhook_bodies import CalendlyWebhookBodies
from adapters.wiring.resources import Resources
from application.privacy.erase_invitee import EraseInvitee
from application.privacy.finish_erasures import FinishErasures
from application.privacy.prune_expired import PruneWebhooks
from application.privacy.redact_bookings import RedactBookings
from application.privacy.redact_webhooks import RedactBodies
from application.webhooks.list_events import ShowWebhook
from application.webhooks.replay import ReplayWebhook
from domain.retention import Retention


def show_webhook(made: Resources) -> ShowWebhook:
    """Wire the use case."""
    return ShowWebhook(storage=made.storage, bodies=CalendlyWebhookBodies())


def replay_webhook(made: Resources) -> ReplayWebhook:
    """Wire the use case."""
    return ReplayWebhook(storage=made.storage, jobs=made.jobs, clock=made.clock)


def prune_webhooks(made: Resources) -> PruneWebhooks:
    """Wire the use case."""
    retention = Retention(
        settled=made.settings.webhook_retention,
        dead_letters=made.settings.dead_letter_retention,
    )
    return PruneWebhooks(
        storage=made.storage,
        redact=_redact_bodies(made),
        finish_erasures=_finish_erasures(made),
        clock=made.clock,
        retention=retention,
    )


def erase_invitee(made: Resources) -> EraseInvitee:
    """Wire the use case."""
    return EraseInvitee(
        storage=made.storage,
        redact_bookings=_redact_bookings(made),
        redact_bodies=_redact_bodies(made),
        clock=made.clock,
        randomness=made.randomness,
        telemetry=made.telemetry,
    )


def _redact_bodies(made: Resources) -> RedactBodies:
    return RedactBodies(storage=made.storage, bodies=CalendlyWebhookBodies())


def _redact_bookings(made: Resources) -> RedactBookings:
    return RedactBookings(storage=made.storage)


def _finish_erasures(made: Resources) -> FinishErasures:
    return FinishErasures(
        storage=made.storage,
        redact_bookings=_redact_bookings(made),
        redact_bodies=_redact_bodies(made),
        clock=made.clock,
        telemetry=made.telemetry,
    )
