import asyncio
from datetime import timedelta
from typing import Any

import pytest

from application.integrations.begin_connect import code_bound_to
from application.integrations.complete_connect import Callback
from application.integrations.store_integration import HELD_FOR
from application.security.hashing import digest
from domain.errors import (
    CalendlyUnavailable,
    ConnectHandleInvalid,
    ConnectStateInvalid,
    ConnectUnconfirmable,
    ConsentDenied,
)
from domain.ids import UserId
from domain.secret import Secret
from tests.application.support.building import Product
from tests.application.support.connecting import Flow
from tests.application.support.process import Process


@pytest.fixture
async def user_id(product: Product) -> UserId:
    """A user of the team's."""
    return await product.user()


@pytest.fixture
async def flow(product: Product, process: Process, user_id: UserId) -> Flow:
    """A flow that has begun without a proof of its user."""
    account = product.calendly.add_user()
    return await Flow(product, process, account).begin(user_id, return_to="/settings")


async def handle_of(flow: Flow, **changes: Any) -> str:
    """Come back; return the handle."""
    outcome = await flow.come_back(**changes)
    assert outcome.held is not None
    return outcome.held.handle.reveal()


def stored(product: Product) -> int:
    """Return how many integrations there are."""
    return len(product.storage.state.integrations)


async def test_nothing_is_exchanged_before_the_confirmation(flow: Flow, product: Product) -> None:
    """A callback keeps the code sealed, and the handle as a hash, and asks Calendly nothing."""
    code = flow.consent()

    outcome = await flow.come_back(code)

    assert outcome.held is not None
    (attempt,) = product.storage.state.connect_attempts.values()
    assert (outcome.return_to, outcome.error, outcome.connected) == ("/settings", None, None)
    assert outcome.held.expires_at == product.clock.now() + HELD_FOR
    assert attempt.handle_hash == digest(outcome.held.handle.reveal())
    assert attempt.sealed_code is not None
    assert code.reveal() not in repr(attempt)
    assert product.vault.open(attempt.sealed_code, code_bound_to(attempt.state_hash)) == code
    assert (product.calendly.calls["exchange_code"], stored(product)) == (0, 0)


async def test_another_user_throws_the_code_away(
    flow: Flow, product: Product, process: Process, user_id: UserId
) -> None:
    """After a confirmation for another user no user gets the account, and no code is exchanged."""
    handle = await handle_of(flow)
    other = await product.user("victor")

    for each in (other, user_id):
        with pytest.raises(ConnectHandleInvalid):
            await process.confirm(each, handle)

    assert product.storage.state.connect_attempts == {}
    assert (product.calendly.calls["exchange_code"], stored(product)) == (0, 0)
    assert product.telemetry.seen == {
        ("connect_confirmation", "another_user"): 1,
        ("connect_confirmation", "unknown_handle"): 1,
    }


async def test_a_repeated_confirmation_changes_nothing(
    flow: Flow, product: Product, process: Process, user_id: UserId
) -> None:
    """For two minutes the same user gets the same answer again; another user gets nothing."""
    handle = await handle_of(flow)
    first = await process.confirm(user_id, handle)
    product.clock.advance(HELD_FOR - timedelta(seconds=1))

    again = await process.confirm(user_id, handle)
    with pytest.raises(ConnectHandleInvalid):
        await process.confirm(await product.user("victor"), handle)
    product.clock.advance(timedelta(seconds=1))
    with pytest.raises(ConnectHandleInvalid):
        await process.confirm(user_id, handle)

    assert (again.integration_id, again.account) == (first.integration_id, first.account)
    assert (product.calendly.calls["exchange_code"], len(product.jobs.started)) == (1, 1)


async def test_a_handle_ends(
    flow: Flow, product: Product, process: Process, user_id: UserId
) -> None:
    """Two minutes after the callback the handle is refused, and the code is gone."""
    handle = await handle_of(flow)
    product.clock.advance(HELD_FOR)

    with pytest.raises(ConnectHandleInvalid):
        await process.confirm(user_id, handle)

    assert product.storage.state.connect_attempts == {}
    assert product.calendly.calls["exchange_code"] == 0


async def test_of_two_confirmations_at_once_one_connects(
    flow: Flow, product: Product, process: Process, user_id: UserId
) -> None:
    """A confirmation that arrives twice at the same moment sends the code once."""
    handle = await handle_of(flow)

    outcomes = await asyncio.gather(
        process.confirm(user_id, handle), process.confirm(user_id, handle), return_exceptions=True
    )

    refused = [each for each in outcomes if isinstance(each, ConnectHandleInvalid)]
    assert len(refused) <= 1
    assert (product.calendly.calls["exchange_code"], stored(product)) == (1, 1)


async def test_a_second_callback_gets_no_handle(flow: Flow, product: Product) -> None:
    """A second callback of a held flow gets no handle, with the same code or another.

    The sender of a passed-on link knows its state: a second handle would give it the held code.
    """
    code = flow.consent()
    await handle_of(flow, code=code)
    (held,) = product.storage.state.connect_attempts.values()

    for each in (code, Secret("another")):
        with pytest.raises(ConnectStateInvalid):
            await flow.come_back(each)

    assert list(product.storage.state.connect_attempts.values()) == [held]


async def test_an_earlier_version_does_not_take_a_held_flow(flow: Flow, product: Product) -> None:
    """The previous version takes every unexpired flow, and would send a second code."""
    await handle_of(flow)

    (attempt,) = product.storage.state.connect_attempts.values()
    assert attempt.expires_at <= product.clock.now() - timedelta(minutes=30)
    assert attempt.connected_until is None


async def test_a_refusal_needs_no_confirmation(flow: Flow, product: Product) -> None:
    """A consent that was denied ends the flow at the callback."""
    outcome = await flow.come_back(error="access_denied")

    assert isinstance(outcome.error, ConsentDenied)
    assert product.storage.state.connect_attempts == {}


async def test_a_person_is_not_given_a_handle(
    product: Product, process: Process, user_id: UserId
) -> None:
    """Where no address of the application is known the code is thrown away at the callback."""
    flow = await Flow(product, process, product.calendly.add_user()).begin(user_id)

    outcome = await flow.come_back(takes_handle=False)

    assert isinstance(outcome.error, ConnectUnconfirmable)
    assert outcome.held is None
    assert product.storage.state.connect_attempts == {}
    assert product.calendly.calls["exchange_code"] == 0


@pytest.mark.parametrize("proof", ["cookie", "caller"])
async def test_a_proven_flow_needs_no_second_step(
    product: Product, process: Process, user_id: UserId, proof: str
) -> None:
    """The browser that began, and a caller that names its user, complete at the callback."""
    flow = Flow(product, process, product.calendly.add_user())
    await flow.begin(user_id, bind_browser=proof == "cookie")
    token = flow.started.browser_token
    own: dict[str, Any] = {"browser_token": token.reveal()} if token else {"user_id": user_id}

    outcome = await flow.come_back(**own)

    assert outcome.connected is not None
    assert (outcome.held, stored(product)) == (None, 1)


async def test_a_failed_exchange_uses_the_code_up(
    flow: Flow, product: Product, process: Process, user_id: UserId
) -> None:
    """If Calendly fails at the confirmation, nothing is stored, and the flow begins again."""
    handle = await handle_of(flow)
    product.calendly.fail_next("exchange_code", CalendlyUnavailable("Down."))

    with pytest.raises(CalendlyUnavailable):
        await process.confirm(user_id, handle)
    with pytest.raises(ConnectHandleInvalid):
        await process.confirm(user_id, handle)

    assert stored(product) == 0
    assert product.telemetry.seen["connect_confirmation", "failed"] == 1


async def test_confirmation_can_be_off(flow: Flow, process: Process, product: Product) -> None:
    """An installation that does not confirm yet completes at the callback, as before."""
    code = flow.consent().reveal()

    outcome = await process.complete_with(confirms=False)(Callback(flow.query["state"], code))

    assert outcome.connected is not None
    assert (outcome.held, stored(product)) == (None, 1)
