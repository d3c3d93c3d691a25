"""The real use cases of operators over a store in memory."""

from dataclasses import dataclass

from adapters.calendly.webhook_bodies import CalendlyWebhookBodies
from application.privacy.erase_invitee import EraseInvitee
from application.privacy.erase_user import EraseUser
from application.privacy.redact_all import RedactAll
from application.privacy.redact_bookings import RedactBookings
from application.privacy.redact_webhooks import RedactBodies
from application.security.audit_trail import AuditTrail
from application.webhooks.list_events import ListWebhooks, ShowWebhook
from application.webhooks.replay import ReplayWebhook
from tests.application.support.recording import RecordedTelemetry
from tests.fakes.clock import FakeClock
from tests.fakes.jobs import FakeJobs
from tests.fakes.randomness import FakeRandomness
from tests.fakes.storage import FakeStorage


@dataclass(frozen=True)
class Operators:
    """The use cases that operators call."""

    list_webhooks: ListWebhooks
    show_webhook: ShowWebhook
    replay_webhook: ReplayWebhook
    erase_invitee: EraseInvitee
    erase_user: EraseUser
    audit: AuditTrail


def operators_of(storage: FakeStorage, jobs: FakeJobs) -> Operators:
    """Return the use cases over a store."""
    bodies, clock, randomness = CalendlyWebhookBodies(), FakeClock(), FakeRandomness()
    audit = AuditTrail(storage=storage, clock=clock, randomness=randomness)
    return Operators(
        list_webhooks=ListWebhooks(storage=storage),
        show_webhook=ShowWebhook(storage=storage, bodies=bodies),
        replay_webhook=ReplayWebhook(storage=storage, jobs=jobs, clock=clock, audit=audit),
        erase_invitee=EraseInvitee(
            storage=storage,
            redact_all=RedactAll(
                storage=storage,
                redact_bookings=RedactBookings(storage=storage),
                redact_bodies=RedactBodies(storage=storage, bodies=bodies),
            ),
            clock=clock,
            randomness=randomness,
            telemetry=RecordedTelemetry(),
            audit=audit,
        ),
        erase_user=EraseUser(
            storage=storage,
            jobs=jobs,
            clock=clock,
            randomness=randomness,
            telemetry=RecordedTelemetry(),
            audit=audit,
        ),
        audit=audit,
    )
