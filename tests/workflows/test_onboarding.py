from uuid import uuid4

import pytest

from adapters.temporal import contract
from adapters.temporal.contract import IntegrationInput
from domain.errors import CalendlyForbidden, CalendlyUnavailable
from domain.ids import IntegrationId
from tests.workflows.fakes import OneIntegration, ReconcileOne
from tests.workflows.running import Bench
from workflows.messages import Onboarded, Step

pytestmark = pytest.mark.asyncio(loop_scope="session")


def of() -> IntegrationInput:
    """Return an integration that no other test uses."""
    return IntegrationInput(integration_id=IntegrationId(uuid4()))


async def test_the_result_of_onboarding_has_each_step(bench: Bench) -> None:
    """A new integration is subscribed, synced and back-filled, as the result shows."""
    bench.use_cases.ensure_subscription = OneIntegration(result="created")
    bench.use_cases.sync_availability = OneIntegration(result="synced")
    bench.use_cases.reconcile_bookings = ReconcileOne(changed=3)
    integration = of()

    result = await bench.run(contract.ONBOARD, integration, result_type=Onboarded)

    assert result == Onboarded(
        subscription=Step(result="created"),
        bookings=Step(result="backfilled", count=3),
        availability=Step(result="synced"),
    )
    assert bench.use_cases.ensure_subscription.seen == [integration.integration_id]
    assert bench.use_cases.reconcile_bookings.backfills == [True]


async def test_an_onboarding_shows_how_each_step_ended(bench: Bench) -> None:
    """The Temporal UI shows how each step ended."""
    bench.use_cases.ensure_subscription = OneIntegration(result="created")
    bench.use_cases.sync_availability = OneIntegration(result="synced")
    bench.use_cases.reconcile_bookings = ReconcileOne(changed=3)

    async with bench.working():
        handle = await bench.start(contract.ONBOARD, of())
        await handle.result()
        metadata = await handle.query("__temporal_workflow_metadata")

    for told in (
        "subscription **created**",
        "availability **synced**",
        "bookings **backfilled 3**",
    ):
        assert told in metadata.current_details


async def test_a_step_that_fails_stops_no_other(bench: Bench) -> None:
    """Without the right to subscribe, an account is still synced and back-filled."""
    bench.use_cases.ensure_subscription = OneIntegration(always=CalendlyForbidden("Plan."))
    bench.use_cases.sync_availability = OneIntegration(result="synced")
    bench.use_cases.reconcile_bookings = ReconcileOne(changed=1)

    result = await bench.run(contract.ONBOARD, of(), result_type=Onboarded)

    assert result.subscription == Step(error_code="calendly_forbidden")
    assert result.bookings == Step(result="backfilled", count=1)
    assert result.availability == Step(result="synced")


async def test_a_step_that_never_succeeds_is_left_to_its_schedule(bench: Bench) -> None:
    """After an hour of Calendly being down a step is given up with the code of its last error."""
    bench.use_cases.sync_availability = OneIntegration(always=CalendlyUnavailable("Down."))

    result = await bench.run(contract.ONBOARD, of(), result_type=Onboarded)

    assert result.availability == Step(error_code="calendly_unavailable")
    assert bench.use_cases.sync_availability.calls > 10
