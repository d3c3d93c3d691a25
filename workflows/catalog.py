"""The lists that a worker serves: every workflow, and every activity over its use cases."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import msgspec

from adapters.wiring.services import Services
from domain.retries import RetryTable
from workflows import page_jobs
from workflows.activities.integrations import IntegrationActivities
from workflows.activities.pages import PageActivities
from workflows.disconnect_integration import DisconnectIntegration
from workflows.onboard_integration import OnboardIntegration

WORKFLOWS: Final[Sequence[type]] = (
    page_jobs.RefreshCalendlyTokens,
    page_jobs.SyncCalendlyAvailability,
    page_jobs.ApplyCalendlyWebhooks,
    page_jobs.HealCalendlyWebhooks,
    page_jobs.ReconcileCalendlyBookings,
    page_jobs.FillCalendlyGaps,
    page_jobs.PruneCalendlyWebhooks,
    OnboardIntegration,
    DisconnectIntegration,
)

Activity = Callable[..., Awaitable[msgspec.Struct]]


def activities_of(
    services: Services, *, page_size: int, retries: RetryTable | None = None
) -> Sequence[Activity]:
    """Return every activity over these use cases; `page_size` in rows."""
    pages = PageActivities(services, page_size=page_size)
    integrations = IntegrationActivities(services, retries=retries)
    return (
        pages.refresh_due_tokens,
        pages.sync_due_availability,
        pages.apply_stored_webhooks,
        pages.heal_subscriptions,
        pages.reconcile_bookings,
        pages.fill_gaps,
        pages.prune_webhooks,
        integrations.ensure_subscription,
        integrations.sync_availability,
        integrations.backfill_bookings,
        integrations.finish_disconnect,
    )
