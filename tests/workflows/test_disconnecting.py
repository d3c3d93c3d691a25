from datetime import timedelta
from uuid import uuid4

import pytest

from adapters.temporal import contract
from adapters.temporal.contract import IntegrationInput
from domain.errors import (
    CalendlyRejected,
    CalendlyUnavailable,
    ClientRefused,
    RefreshInProgress,
    ScopeMissing,
    SealedValueUnreadable,
    SlotkeeperError,
)
from domain.ids import IntegrationId
from tests.workflows.fakes import Erase
from tests.workflows.running import Bench
from workflows.messages import Erased

pytestmark = pytest.mark.asyncio(loop_scope="session")


BUSY = RefreshInProgress("A token refresh of this integration is under way.")
NOT_OURS = ScopeMissing("A scope is missing.")


def of() -> IntegrationInput:
    """Return an integration that no other test uses."""
    return IntegrationInput(integration_id=IntegrationId(uuid4()))


async def test_a_disconnection_ends_erased(bench: Bench) -> None:
    """With Calendly up, an integration is revoked and erased without force."""
    result = await bench.run(contract.DISCONNECT, of(), result_type=Erased)

    assert result == Erased(result="erased")
    assert bench.use_cases.finish_disconnect.forced == [False]


async def test_an_outage_delays_a_disconnection_without_forcing_it(bench: Bench) -> None:
    """Once Calendly is back within the day, the grant is still revoked there."""
    bench.use_cases.finish_disconnect = Erase(errors=[CalendlyUnavailable("Down.")] * 20)

    result = await bench.run(contract.DISCONNECT, of(), result_type=Erased)

    assert result == Erased(result="erased")
    assert True not in bench.use_cases.finish_disconnect.forced


async def test_after_a_day_an_integration_is_erased_without_calendly(bench: Bench) -> None:
    """A person who disconnects is forgotten within a day even when Calendly stays down."""
    erase = Erase(calendly_error=CalendlyUnavailable("Down."))
    bench.use_cases.finish_disconnect = erase

    async with bench.working():
        handle = await bench.start(contract.DISCONNECT, of())
        result = await handle.result()
        metadata = await handle.query("__temporal_workflow_metadata")
        description = await handle.describe()

    assert result == {"result": "erased_unrevoked"}
    assert "Calendly did not confirm all of it" in metadata.current_details
    assert erase.forced[-1] is True
    assert erase.forced.count(True) == 1
    assert description.close_time is not None
    elapsed = description.close_time - description.start_time
    assert timedelta(hours=23, minutes=30) < elapsed < timedelta(hours=25)


@pytest.mark.parametrize(
    "error",
    [
        ClientRefused("Wrong secret."),
        ScopeMissing("A scope is missing."),
        SealedValueUnreadable("Unknown key."),
        CalendlyRejected("Refused."),
    ],
)
async def test_an_error_that_an_operator_can_fix_is_retried_for_a_day(
    bench: Bench, error: SlotkeeperError
) -> None:
    """An error that needs a fix is retried too; once it is fixed, the grant is revoked."""
    bench.use_cases.finish_disconnect = Erase(errors=[error] * 20)

    result = await bench.run(contract.DISCONNECT, of(), result_type=Erased)

    assert result == Erased(result="erased")
    assert bench.use_cases.finish_disconnect.forced == [False]


async def test_a_forced_erasure_does_not_give_up(bench: Bench) -> None:
    """Once the day is over, whatever keeps us from erasing is tried again until it is gone."""
    erase = Erase(calendly_error=ClientRefused("Wrong secret."), forced_errors=[NOT_OURS, BUSY])
    bench.use_cases.finish_disconnect = erase

    result = await bench.run(contract.DISCONNECT, of(), result_type=Erased)

    assert result == Erased(result="erased_unrevoked")
    assert erase.forced.count(True) == 3
