"""The activities for one integration: the steps after connecting, and its end.

Every step is safe to repeat.
"""

import random

from temporalio import activity

from adapters.temporal.contract import IntegrationInput
from adapters.wiring.services import Services
from domain.errors import SlotkeeperError
from domain.retries import RetryTable
from workflows.activities.heartbeats import heartbeats
from workflows.failures import Attempt, to_failure
from workflows.messages import Erased, Erasure, Step


class IntegrationActivities:
    """Subscribe, first sync, back-fill, erase; `retries` spaces the attempts of the last."""

    def __init__(self, services: Services, *, retries: RetryTable | None = None) -> None:
        self._services = services
        self._retries = retries or RetryTable()

    @activity.defn(name="ensure_subscription")
    async def ensure_subscription(self, of: IntegrationInput) -> Step:
        """Make sure that Calendly delivers this integration's webhooks to us."""
        async with heartbeats():
            return Step(result=await self._services.ensure_subscription(of.integration_id))

    @activity.defn(name="sync_availability")
    async def sync_availability(self, of: IntegrationInput) -> Step:
        """Fill this integration's cache."""
        async with heartbeats():
            return Step(result=await self._services.sync_availability(of.integration_id))

    @activity.defn(name="backfill_bookings")
    async def backfill_bookings(self, of: IntegrationInput) -> Step:
        """Fetch the bookings made before the connection."""
        async with heartbeats():
            reconcile = self._services.reconcile_bookings
            count = await reconcile(of.integration_id, backfill=True)
            return Step(result="backfilled", count=count)

    @activity.defn(name="finish_disconnect")
    async def finish_disconnect(self, erasure: Erasure) -> Erased:
        """Unsubscribe, revoke and erase; forced: erase even if Calendly does not confirm.

        Every failure is retried, including one that waiting alone does not cure.
        """
        try:
            async with heartbeats():
                finish = self._services.finish_disconnect
                result = await finish(erasure.integration_id, forced=erasure.forced)
        except SlotkeeperError as error:
            # The retries last a day so that an operator can act: once the key or the client
            # secret is corrected, the tokens can still be revoked.
            chance = random.random()  # noqa: S311 - spreads retries
            attempt = Attempt(activity.info().attempt, chance, self._retries)
            raise to_failure(error, attempt, persistent=True) from None
        return Erased(result=result)
