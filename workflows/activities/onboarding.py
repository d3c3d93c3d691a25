"""The steps that make a newly connected integration complete, each on its own."""

from collections.abc import Awaitable
from typing import Protocol

from temporalio import activity

from adapters.temporal.contract import IntegrationInput
from domain.ids import IntegrationId
from workflows.activities.heartbeats import heartbeats
from workflows.messages import Step


class ByIntegration(Protocol):
    """A use case for one integration that says in a word how it ended."""

    def __call__(self, integration_id: IntegrationId, /) -> Awaitable[str]:
        """Do it."""
        ...


class Backfill(Protocol):
    """The use case that compares bookings; it returns how many it changed."""

    def __call__(self, integration_id: IntegrationId, /, *, backfill: bool) -> Awaitable[int]:
        """Do it."""
        ...


class Onboarding:
    """Subscribing, the first sync, the back-fill; all may be repeated."""

    def __init__(
        self, *, subscribe: ByIntegration, sync: ByIntegration, reconcile: Backfill
    ) -> None:
        self._subscribe = subscribe
        self._sync = sync
        self._reconcile = reconcile

    @activity.defn(name="ensure_subscription")
    async def ensure_subscription(self, of: IntegrationInput) -> Step:
        """Make sure that Calendly delivers this integration's webhooks to us."""
        async with heartbeats():
            return Step(result=await self._subscribe(of.integration_id))

    @activity.defn(name="sync_availability")
    async def sync_availability(self, of: IntegrationInput) -> Step:
        """Fill this integration's cache."""
        async with heartbeats():
            return Step(result=await self._sync(of.integration_id))

    @activity.defn(name="backfill_bookings")
    async def backfill_bookings(self, of: IntegrationInput) -> Step:
        """Fetch the bookings made before the connection."""
        async with heartbeats():
            count = await self._reconcile(of.integration_id, backfill=True)
            return Step(result="backfilled", count=count)
