"""The onboarding of a new connection: webhooks, first sync, back-fill of bookings."""

import asyncio
from collections.abc import Awaitable

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from adapters.temporal import contract
    from adapters.temporal.contract import IntegrationInput
    from workflows import options
    from workflows.activities.integrations import IntegrationActivities
    from workflows.details import describe_steps
    from workflows.messages import Onboarded, Step


@workflow.defn(name=contract.ONBOARD)
class OnboardIntegration:
    """Completes an integration; a failed step is part of the result and stops no other."""

    def __init__(self) -> None:
        self._ended: dict[str, Step] = {}

    @workflow.run
    async def run(self, of: IntegrationInput) -> Onboarded:
        """Subscribe then back-fill, and sync beside them; returns how each step ended.

        Subscribing comes first, so that a booking made during the back-fill is seen by one of
        them.
        """
        (subscription, bookings), availability = await asyncio.gather(
            self._bookings(of), self._availability(of)
        )
        return Onboarded(subscription=subscription, bookings=bookings, availability=availability)

    async def _bookings(self, of: IntegrationInput) -> tuple[Step, Step]:
        subscription = await self._step(
            "subscription",
            workflow.execute_activity_method(
                IntegrationActivities.ensure_subscription, of, **options.SUBSCRIBE
            ),
        )
        bookings = await self._step(
            "bookings",
            workflow.execute_activity_method(
                IntegrationActivities.backfill_bookings, of, **options.BACKFILL
            ),
        )
        return subscription, bookings

    async def _availability(self, of: IntegrationInput) -> Step:
        return await self._step(
            "availability",
            workflow.execute_activity_method(
                IntegrationActivities.sync_availability, of, **options.FIRST_SYNC
            ),
        )

    async def _step(self, name: str, step: Awaitable[Step]) -> Step:
        """Return how a step ended, and show it in the Temporal UI."""
        self._ended[name] = await _ending(step)
        workflow.set_current_details(describe_steps(self._ended))
        return self._ended[name]


async def _ending(step: Awaitable[Step]) -> Step:
    try:
        return await step
    except ActivityError as error:
        if is_cancelled_exception(error):
            raise
        return Step(error_code=_code(error))


def _code(error: ActivityError) -> str:
    cause = error.cause
    if isinstance(cause, ApplicationError) and cause.type:
        return cause.type
    return "timed_out"
