from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from domain.errors import ConnectStateInvalid, ConsentDenied
from domain.ids import UserId
from domain.integration import Status
from tests.application.support.building import Product
from tests.application.support.connecting import Flow
from tests.application.support.process import CONNECT_TTL, Process


@pytest.fixture
async def user_id(product: Product) -> UserId:
    """A user of the team's."""
    return await product.user()


@pytest.fixture
async def flow(product: Product, process: Process, user_id: UserId) -> Flow:
    """A flow that has begun, bound to its browser."""
    account = product.calendly.add_user()
    return await Flow(product, process, account).begin(
        user_id, return_to="/settings", bind_browser=True
    )


def own(flow: Flow) -> dict[str, Any]:
    """Return what the browser of this flow sends."""
    assert flow.started.browser_token is not None
    return {"browser_token": flow.started.browser_token.reveal()}


@pytest.mark.parametrize("caller", [False, True])
async def test_a_callback_that_is_loaded_twice_is_connected(
    flow: Flow, product: Product, user_id: UserId, *, caller: bool
) -> None:
    """The second answer names the same integration; nothing is sent, started or counted again."""
    code = flow.consent()
    first = await flow.complete(code, **own(flow))
    product.clock.advance(CONNECT_TTL - timedelta(seconds=1))
    jobs, calls, seen = list(product.jobs.started), dict(product.calendly.calls), product.telemetry

    again = await flow.complete(code, **own(flow), user_id=user_id if caller else None)

    assert again.error is None
    assert (again.integration_id, again.return_to) == (first.integration_id, "/settings")
    assert product.jobs.started == jobs
    assert dict(product.calendly.calls) == calls
    assert seen.seen == {("integration_connected", False): 1}


async def test_a_completed_flow_is_expired_for_the_previous_version(
    flow: Flow, product: Product
) -> None:
    """The previous version takes every unexpired flow, and would send the code once more."""
    await flow.complete(**own(flow))

    (attempt,) = product.storage.state.connect_attempts.values()
    assert attempt.expires_at <= product.clock.now() - timedelta(minutes=30)


async def test_another_browser_or_user_is_refused(flow: Flow, product: Product) -> None:
    """A completed flow says nothing to another browser or to a caller for another user."""
    code = flow.consent()
    await flow.complete(code, **own(flow))
    other = await product.user("mallory")

    for changes in ({}, {"browser_token": "other"}, own(flow) | {"user_id": other}):
        with pytest.raises(ConnectStateInvalid):
            await flow.complete(code, **changes)

    assert (await flow.complete(code, **own(flow))).error is None


async def test_the_answer_ends_with_the_flow(flow: Flow, product: Product) -> None:
    """After CONNECT_TTL the callback is refused as before."""
    code = flow.consent()
    await flow.complete(code, **own(flow))
    product.clock.advance(CONNECT_TTL)

    with pytest.raises(ConnectStateInvalid):
        await flow.complete(code, **own(flow))


async def test_a_failed_flow_stays_used(flow: Flow, product: Product) -> None:
    """A flow that failed is refused the second time, and no code is sent."""
    failed = await flow.complete(error="access_denied", **own(flow))
    assert isinstance(failed.error, ConsentDenied)

    with pytest.raises(ConnectStateInvalid):
        await flow.complete(**own(flow))

    assert product.calendly.calls["exchange_code"] == 0


@pytest.mark.parametrize("status", [Status.DISCONNECTING, Status.REAUTH_REQUIRED])
async def test_an_integration_that_is_lost_is_not_called_connected(
    flow: Flow, product: Product, status: Status
) -> None:
    """A second load does not say "connected" of an account that has left or needs its user."""
    code = flow.consent()
    outcome = await flow.complete(code, **own(flow))
    assert outcome.integration_id is not None
    integrations = product.storage.state.integrations
    row = integrations[outcome.integration_id]
    integrations[outcome.integration_id] = replace(row, value=replace(row.value, status=status))

    with pytest.raises(ConnectStateInvalid):
        await flow.complete(code, **own(flow))
