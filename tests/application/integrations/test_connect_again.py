import asyncio
from datetime import timedelta

import pytest

from application.tokens.token_encryption import open_access
from domain.cache_policy import Freshness
from domain.errors import (
    AccountMismatch,
    DisconnectInProgress,
    ReauthRequired,
    ScopeMissing,
)
from domain.integration import Cause, Recovery, Status, Subscription, usable_tokens
from tests.application.support.building import Product
from tests.application.support.connecting import Flow
from tests.application.support.host_setup import host
from tests.application.support.process import Process
from tests.fakes.clock import NOON


async def test_another_account_is_refused(product: Product, process: Process) -> None:
    """A second Calendly account does not silently replace the first; its grant is revoked."""
    connected = await product.connect()
    other = product.calendly.add_user()
    flow = await Flow(product, process, other).begin(connected.user_id)

    outcome = await flow.complete()

    assert isinstance(outcome.error, AccountMismatch)
    assert "/api/calendly/connect?replace=true" in outcome.error.message
    assert await product.stored(connected.id) == connected
    assert [grant.revoked for grant in product.calendly.grants] == [False, True]


async def test_connecting_again_heals(product: Product, process: Process) -> None:
    """A user who connects again after the grant died recovers the same integration, and sees it."""
    connected = await product.connect()
    hook = Subscription(key="key", uri="https://api.calendly.com/webhook_subscriptions/1")
    async with product.storage() as uow:
        await uow.integrations.put_subscription(connected.id, hook)
        await uow.commit()
    product.calendly.revoke_grants(connected.account.user_uri)
    with pytest.raises(ReauthRequired):
        await process.refresh.run(connected.id)
    flow = await Flow(product, process, connected.account).begin(connected.user_id)

    outcome = await flow.complete()

    assert (outcome.integration_id, outcome.recovered) == (connected.id, True)
    stored = await product.stored(connected.id)
    assert (stored.status, stored.attention) == (Status.ACTIVE, None)
    assert stored.subscription == hook
    assert stored.recovery == outcome.recovery == Recovery(Cause.GRANT_REFUSED, NOON)
    assert await product.calendly.me(open_access(product.vault, stored)) == connected.account
    assert product.telemetry.seen["reauth_required", Cause.GRANT_REFUSED] == 1
    assert product.telemetry.seen["integration_connected", True] == 1
    assert product.telemetry.seen["integration_recovered", Cause.GRANT_REFUSED] == 1


async def test_the_last_recovery_is_remembered(product: Product, process: Process) -> None:
    """A healthy account that connects again still says what it last came back from, and when."""
    connected = await product.connect()
    product.calendly.revoke_grants(connected.account.user_uri)
    with pytest.raises(ReauthRequired):
        await process.refresh.run(connected.id)
    await (await Flow(product, process, connected.account).begin(connected.user_id)).complete()
    product.clock.advance(timedelta(hours=1))

    flow = await Flow(product, process, connected.account).begin(connected.user_id)
    outcome = await flow.complete()

    stored = await product.stored(connected.id)
    assert (outcome.recovered, stored.connected_at) == (False, NOON + timedelta(hours=1))
    assert stored.recovery == Recovery(Cause.GRANT_REFUSED, NOON)
    assert product.telemetry.seen["integration_recovered", Cause.GRANT_REFUSED] == 1


async def test_a_recovery_with_a_lost_answer_is_reported(
    product: Product, process: Process
) -> None:
    """A restored account is reported even if the answer to storing it was lost."""
    connected = await product.connect()
    product.calendly.revoke_grants(connected.account.user_uri)
    with pytest.raises(ReauthRequired):
        await process.refresh.run(connected.id)
    flow = await Flow(product, process, connected.account).begin(connected.user_id)
    hold = product.calendly.hold_next("me")
    task = asyncio.create_task(flow.complete())
    await hold.reached.wait()
    product.storage.fail_next_commit(stored=True)
    hold.release()

    outcome = await task

    assert (outcome.error, outcome.recovery) == (None, Recovery(Cause.GRANT_REFUSED, NOON))


async def test_connecting_a_healthy_account_again_renews_it(
    product: Product, process: Process
) -> None:
    """A user may connect again at any time: the newest grant counts, under a later version."""
    connected = await product.connect()
    flow = await Flow(product, process, connected.account).begin(connected.user_id)

    outcome = await flow.complete()

    assert (outcome.integration_id, outcome.recovered) == (connected.id, False)
    assert usable_tokens(await product.stored(connected.id)).version == 2


async def test_connecting_again_invalidates_the_cache(product: Product, process: Process) -> None:
    """All that was cached before the account recovered is fetched again."""
    connected = await product.connect()
    before = product.storage.state.integrations[connected.id].invalidated
    flow = await Flow(product, process, connected.account).begin(connected.user_id)

    await flow.complete()

    assert before == {}
    assert product.storage.state.integrations[connected.id].invalidated == {
        "bookings": (NOON, "reconnect"),
        "event_types": (NOON, "reconnect"),
    }


async def test_connecting_again_lets_what_was_refused_be_asked_for(
    product: Product, process: Process
) -> None:
    """A call that Calendly refused the old grant is repeated with the new one, without waiting."""
    ada = await host(product)
    product.calendly.fail_next("schedules", ScopeMissing("no"))
    with pytest.raises(ScopeMissing):
        await process.schedules(ada.integration.user_id)
    account = ada.integration.account
    flow = await Flow(product, process, account).begin(ada.integration.user_id)

    await flow.complete()
    product.clock.advance(timedelta(seconds=1))
    view = await process.schedules(ada.integration.user_id)

    assert view.age.freshness is Freshness.FRESH
    assert view.items == tuple(product.calendly.weekly[account.user_uri])


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
