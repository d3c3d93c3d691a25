"""The retention of webhooks, and the erasure of invitees and users."""

from adapters.calendly.webhook_bodies import CalendlyWebhookBodies
from adapters.wiring.resources import Resources
from application.privacy.apply_erasures import ApplyErasures
from application.privacy.erase_invitee import EraseInvitee
from application.privacy.erase_user import EraseUser
from application.privacy.finish_erasures import FinishErasures
from application.privacy.finish_user_erasures import FinishUserErasures
from application.privacy.prune_expired import PruneWebhooks
from application.privacy.redact_all import RedactAll
from application.privacy.redact_bookings import RedactBookings
from application.privacy.redact_webhooks import RedactBodies
from domain.retention import Retention


def prune_webhooks(resources: Resources) -> PruneWebhooks:
    retention = Retention(
        settled=resources.settings.webhook_retention,
        dead_letters=resources.settings.dead_letter_retention,
        audit=resources.settings.audit_retention,
    )
    return PruneWebhooks(
        storage=resources.storage,
        redact=_redact_bodies(resources),
        finish_erasures=_finish_erasures(resources),
        finish_user_erasures=FinishUserErasures(storage=resources.storage, jobs=resources.jobs),
        clock=resources.clock,
        retention=retention,
    )


def erase_invitee(resources: Resources) -> EraseInvitee:
    return EraseInvitee(
        storage=resources.storage,
        redact_all=_redact_all(resources),
        clock=resources.clock,
        randomness=resources.randomness,
        telemetry=resources.telemetry,
        audit=resources.audit,
    )


def erase_user(resources: Resources) -> EraseUser:
    return EraseUser(
        storage=resources.storage,
        jobs=resources.jobs,
        clock=resources.clock,
        randomness=resources.randomness,
        telemetry=resources.telemetry,
        audit=resources.audit,
    )


def apply_erasures(resources: Resources) -> ApplyErasures:
    return ApplyErasures(
        storage=resources.storage, redact_all=_redact_all(resources), jobs=resources.jobs
    )


def _redact_all(resources: Resources) -> RedactAll:
    return RedactAll(
        storage=resources.storage,
        redact_bookings=RedactBookings(storage=resources.storage),
        redact_bodies=_redact_bodies(resources),
    )


def _redact_bodies(resources: Resources) -> RedactBodies:
    return RedactBodies(storage=resources.storage, bodies=CalendlyWebhookBodies())


def _finish_erasures(resources: Resources) -> FinishErasures:
    return FinishErasures(
        storage=resources.storage,
        redact_bookings=RedactBookings(storage=resources.storage),
        redact_bodies=_redact_bodies(resources),
        clock=resources.clock,
        telemetry=resources.telemetry,
    )
