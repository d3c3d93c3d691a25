import asyncio

import pytest

from domain.errors import ConnectStateInvalid
from domain.ids import UserId
from domain.integration import Account
from tests.application.support.building import Product
from tests.application.support.connecting import Flow
from tests.application.support.process import CONNECT_TTL, Process


@pytest.fixture
async def user_id(product: Product) -> UserId:
    """A user of the team's."""
    return await product.user()


@pytest.fixture
def account(product: Product) -> Account:
    """The user's Calendly account."""
    return product.calendly.add_user()


@pytest.fixture
async def flow(product: Product, process: Process, user_id: UserId, account: Account) -> Flow:
    """A flow that has begun."""
    return await Flow(product, process, account).begin(user_id, return_to="/settings")


async def test_a_code_is_exchanged_once(flow: Flow, product: Product) -> None:
    """A callback that is replayed with another code changes nothing and exchanges nothing."""
    for _ in range(2):
        await flow.complete()

    assert product.calendly.calls["exchange_code"] == 1


@pytest.mark.parametrize("state", [None, "", "never-handed-out"])
async def test_an_unknown_state_is_refused(flow: Flow, product: Product, state: str) -> None:
    """A callback of an unknown flow is refused."""
    with pytest.raises(ConnectStateInvalid):
        await flow.complete(state=state)

    assert product.calendly.calls["exchange_code"] == 0


async def test_an_expired_state_is_refused(flow: Flow, product: Product) -> None:
    """A user who returns after the state expired has to start again."""
    code = flow.consent()
    product.clock.advance(CONNECT_TTL)

    with pytest.raises(ConnectStateInvalid):
        await flow.complete(code)


async def test_another_users_state_is_refused(flow: Flow, product: Product) -> None:
    """Another user's caller does not complete this user's flow."""
    other = await product.user("eve")

    with pytest.raises(ConnectStateInvalid):
        await flow.complete(user_id=other)

    assert product.calendly.calls["exchange_code"] == 0


async def test_a_wrong_identity_does_not_spend_the_link(
    product: Product, process: Process, user_id: UserId, account: Account
) -> None:
    """After another user's and another browser's attempt the right one still completes."""
    flow = await Flow(product, process, account).begin(user_id, bind_browser=True)
    assert flow.started.browser_token is not None
    cookie = flow.started.browser_token.reveal()
    with pytest.raises(ConnectStateInvalid):
        await flow.complete(browser_token=cookie, user_id=await product.user("eve"))
    with pytest.raises(ConnectStateInvalid):
        await flow.complete(browser_token="another-browser")

    outcome = await flow.complete(browser_token=cookie, user_id=user_id)

    assert outcome.error is None


async def test_of_two_callbacks_at_once_one_connects(flow: Flow, product: Product) -> None:
    """A callback that arrives twice at the same moment is good once."""
    code = flow.consent()

    outcomes = await asyncio.gather(
        flow.complete(code), flow.complete(code), return_exceptions=True
    )

    refused = [each for each in outcomes if isinstance(each, ConnectStateInvalid)]
    assert len(refused) == 1
    assert product.calendly.calls["exchange_code"] == 1


async def test_the_user_itself_may_complete(flow: Flow, user_id: UserId) -> None:
    """A caller that proved to be the flow's own user completes it."""
    outcome = await flow.complete(user_id=user_id)

    assert outcome.error is None


@pytest.mark.parametrize("cookie", [None, "", "another-browser"])
async def test_another_browser_is_refused(
    product: Product, process: Process, user_id: UserId, account: Account, cookie: str
) -> None:
    """A flow that is bound to a browser is completed by that browser alone."""
    flow = await Flow(product, process, account).begin(user_id, bind_browser=True)

    with pytest.raises(ConnectStateInvalid):
        await flow.complete(browser_token=cookie)

    assert product.calendly.calls["exchange_code"] == 0


async def test_the_same_browser_is_accepted(
    product: Product, process: Process, user_id: UserId, account: Account
) -> None:
    """The browser that began the flow completes it."""
    flow = await Flow(product, process, account).begin(user_id, bind_browser=True)
    assert flow.started.browser_token is not None

    outcome = await flow.complete(browser_token=flow.started.browser_token.reveal())

    assert outcome.error is None
