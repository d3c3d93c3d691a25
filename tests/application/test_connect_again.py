import pytest

from application.token_sealing import open_access
from domain.errors import (
    AccountMismatch,
    DisconnectInProgress,
    ReauthRequired,
)
from domain.integration import Cause, Status, Subscription, usable_tokens
from tests.application.building import Product
from tests.application.connecting import Flow
from tests.application.process import Process


async def test_another_account_is_refused(product: Product, process: Process) -> None:
    """A second Calendly account does not silently replace the first; its grant is given back."""
    connected = await product.connect()
    other = product.calendly.add_user()
    flow = await Flow(product, process, other).begin(connected.user_id)

    outcome = await flow.complete()

    assert isinstance(outcome.error, AccountMismatch)
    assert await product.stored(connected.id) == connected
    assert [grant.revoked for grant in product.calendly.grants] == [False, True]


async def test_connecting_again_heals(product: Product, process: Process) -> None:
    """Who connects again after the grant died has the same integration back, with its hook."""
    connected = await product.connect()
    hook = Subscription(key="key", uri="https://api.calendly.com/webhook_subscriptions/1")
    async with product.storage() as uow:
        await uow.integrations.put_subscription(connected.id, hook)
        await uow.commit()
    product.calendly.revoke_grants(connected.account.user_uri)
    with pytest.raises(ReauthRequired):
        await process.refresh(connected.id)
    flow = await Flow(product, process, connected.account).begin(connected.user_id)

    outcome = await flow.complete()

    assert (outcome.integration_id, outcome.recovered) == (connected.id, True)
    stored = await product.stored(connected.id)
    assert (stored.status, stored.attention) == (Status.ACTIVE, None)
    assert stored.subscription == hook
    assert await product.calendly.me(open_access(product.vault, stored)) == connected.account
    assert product.signals.seen["reauth_required", Cause.GRANT_REFUSED] == 1
    assert product.signals.seen["connected", True] == 1


async def test_connecting_a_healthy_account_again_renews_it(
    product: Product, process: Process
) -> None:
    """A user may connect again at any time: the newest grant counts, under a later version."""
    connected = await product.connect()
    flow = await Flow(product, process, connected.account).begin(connected.user_id)

    outcome = await flow.complete()

    assert (outcome.integration_id, outcome.recovered) == (connected.id, False)
    assert usable_tokens(await product.stored(connected.id)).version == 2


async def test_while_disconnecting_nothing_is_connected(
    product: Product, process: Process
) -> None:
    """A disconnection under way is finished before the account can be connected again."""
    connected = await product.connect()
    await product.mark_disconnecting(connected.id)
    flow = await Flow(product, process, connected.account).begin(connected.user_id)

    outcome = await flow.complete()

    assert isinstance(outcome.error, DisconnectInProgress)
    assert (await product.stored(connected.id)).status is Status.DISCONNECTING
    assert [grant.revoked for grant in product.calendly.grants] == [False, True]
    assert product.jobs.started == [f"integration/{connected.id}/disconnect"]
