"""The contract of client and worker: names, ids, the task queue, start inputs.

A name or a field here is part of running workflows' histories: add, never rename.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import msgspec

from domain.ids import IntegrationId

TASK_QUEUE: Final = "slotkeeper"

REFRESH_TOKENS: Final = "RefreshCalendlyTokens"
SYNC_AVAILABILITY: Final = "SyncCalendlyAvailability"
APPLY_WEBHOOKS: Final = "ApplyCalendlyWebhooks"
HEAL_WEBHOOKS: Final = "HealCalendlyWebhooks"
RECONCILE_BOOKINGS: Final = "ReconcileCalendlyBookings"
PRUNE_WEBHOOKS: Final = "PruneCalendlyWebhooks"
FILL_GAPS: Final = "FillCalendlyGaps"
ONBOARD: Final = "OnboardIntegration"
DISCONNECT: Final = "DisconnectIntegration"

# One id a job: at most one open run has it, so a start that comes twice attaches to the first.
# A schedule appends its fire time to the id, so a scheduled run and one started here may overlap;
# the leases on the rows keep them from doing the same work.
REFRESH_TOKENS_ID: Final = "refresh-calendly-tokens"
SYNC_AVAILABILITY_ID: Final = "sync-calendly-availability"
APPLY_WEBHOOKS_ID: Final = "apply-calendly-webhooks"
HEAL_WEBHOOKS_ID: Final = "heal-calendly-webhooks"
RECONCILE_BOOKINGS_ID: Final = "reconcile-calendly-bookings"
FILL_GAPS_ID: Final = "fill-calendly-gaps"
PRUNE_WEBHOOKS_ID: Final = "prune-calendly-webhooks"

SCHEDULED: Final[Mapping[str, str]] = MappingProxyType(
    {
        REFRESH_TOKENS_ID: REFRESH_TOKENS,
        SYNC_AVAILABILITY_ID: SYNC_AVAILABILITY,
        APPLY_WEBHOOKS_ID: APPLY_WEBHOOKS,
        HEAL_WEBHOOKS_ID: HEAL_WEBHOOKS,
        FILL_GAPS_ID: FILL_GAPS,
        RECONCILE_BOOKINGS_ID: RECONCILE_BOOKINGS,
        PRUNE_WEBHOOKS_ID: PRUNE_WEBHOOKS,
    }
)
"""The workflow that each schedule starts, by the schedule's id."""


class IntegrationInput(msgspec.Struct, frozen=True):
    """Which integration a workflow is about."""

    integration_id: IntegrationId


def onboard_id(integration_id: IntegrationId) -> str:
    """Return the workflow id of an integration's onboarding."""
    return f"integration/{integration_id}/onboard"


def disconnect_id(integration_id: IntegrationId) -> str:
    """Return the workflow id of an integration's disconnection."""
    return f"integration/{integration_id}/disconnect"
