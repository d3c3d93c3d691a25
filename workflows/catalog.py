"""What a worker runs: every workflow, and every activity over the use cases it is given."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Protocol

import msgspec

from domain.retries import RetryTable
from workflows.activities.disconnecting import Disconnecting, Finish
from workflows.activities.due_work import DuePage, DueWork, RefreshPage
from workflows.activities.keeping import Keeping
from workflows.activities.onboarding import Backfill, ByIntegration, Onboarding
from workflows.activities.sweeps import CursorPage, Sweeps
from workflows.apply_calendly_webhooks import ApplyCalendlyWebhooks
from workflows.disconnect_integration import DisconnectIntegration
from workflows.fill_calendly_gaps import FillCalendlyGaps
from workflows.heal_calendly_webhooks import HealCalendlyWebhooks
from workflows.onboard_integration import OnboardIntegration
from workflows.prune_calendly_webhooks import PruneCalendlyWebhooks
from workflows.reconcile_calendly_bookings import ReconcileCalendlyBookings
from workflows.refresh_calendly_tokens import RefreshCalendlyTokens
from workflows.sync_calendly_availability import SyncCalendlyAvailability

WORKFLOWS: Final[Sequence[type]] = (
    RefreshCalendlyTokens,
    SyncCalendlyAvailability,
    ApplyCalendlyWebhooks,
    HealCalendlyWebhooks,
    ReconcileCalendlyBookings,
    FillCalendlyGaps,
    PruneCalendlyWebhooks,
    OnboardIntegration,
    DisconnectIntegration,
)

Activity = Callable[..., Awaitable[msgspec.Struct]]


class UseCases(Protocol):
    """The use cases that activities call, by their module's name."""

    @property
    def refresh_due_tokens(self) -> RefreshPage:
        """Refresh a page."""
        ...

    @property
    def sync_due_availability(self) -> DuePage:
        """Sync a page."""
        ...

    @property
    def apply_webhooks(self) -> DuePage:
        """Apply a page."""
        ...

    @property
    def heal_subscriptions(self) -> CursorPage:
        """Heal a page."""
        ...

    @property
    def reconcile_all(self) -> CursorPage:
        """Reconcile a page."""
        ...

    @property
    def prune_webhooks(self) -> CursorPage:
        """Forget a page."""
        ...

    @property
    def fill_gaps(self) -> CursorPage:
        """Back-fill a page."""
        ...

    @property
    def ensure_subscription(self) -> ByIntegration:
        """Subscribe one integration."""
        ...

    @property
    def sync_availability(self) -> ByIntegration:
        """Sync one integration."""
        ...

    @property
    def reconcile_bookings(self) -> Backfill:
        """Reconcile one integration."""
        ...

    @property
    def finish_disconnect(self) -> Finish:
        """Erase one integration."""
        ...


def activities_of(
    use_cases: UseCases, *, page_size: int, retries: RetryTable | None = None
) -> Sequence[Activity]:
    """Return every activity over these use cases; `page_size` in rows."""
    due = DueWork(
        refresh=use_cases.refresh_due_tokens,
        sync=use_cases.sync_due_availability,
        apply_webhooks=use_cases.apply_webhooks,
        limit=page_size,
    )
    sweeps = Sweeps(
        heal=use_cases.heal_subscriptions,
        reconcile=use_cases.reconcile_all,
        fill_gaps=use_cases.fill_gaps,
        limit=page_size,
    )
    keeping = Keeping(prune=use_cases.prune_webhooks, limit=page_size)
    onboarding = Onboarding(
        subscribe=use_cases.ensure_subscription,
        sync=use_cases.sync_availability,
        reconcile=use_cases.reconcile_bookings,
    )
    disconnecting = Disconnecting(finish=use_cases.finish_disconnect, retries=retries)
    return (
        due.refresh_due_tokens,
        due.sync_due_availability,
        due.apply_stored_webhooks,
        sweeps.heal_subscriptions,
        sweeps.reconcile_bookings,
        sweeps.fill_gaps,
        keeping.prune_webhooks,
        onboarding.ensure_subscription,
        onboarding.sync_availability,
        onboarding.backfill_bookings,
        disconnecting.finish_disconnect,
    )
