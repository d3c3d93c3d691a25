import asyncio
from itertools import count

import pytest

from application.integrations.finish_disconnect import ABSENT, ERASED, ERASED_UNREVOKED
from domain.errors import (
    CalendlyForbidden,
    CalendlyUnavailable,
    ReauthRequired,
    SealedValueUnreadable,
)
from domain.integration import Integration, Status, Subscription
from domain.secret import Secret
from domain.subscription import USER_EVENTS, own_prefix
from tests.application.support.building import Product
from tests.application.support.disconnect_setup import is_gone, leave
from tests.application.support.process import CALLBACK_BASE, LEASE, Process

OWN_KEY = Secret("a-key-of-its-own")


@pytest.fixture
async def disconnecting(product: Product, process: Process) -> Integration:
    """An integration with a subscription, marked as disconnecting."""
    return await leave(product, process)


async def test_everything_is_given_back(
    product: Product, process: Process, disconnecting: Integration
) -> None:
    """A disconnection removes the subscription, revokes the grant and erases the account."""
    assert await process.finish_disconnect(disconnecting.id, forced=False) == ERASED
    assert is_gone(product)
    assert product.calendly.calls["revoke"] == 2  # the refresh token and the access token


async def test_the_subscription_goes_first(
    product: Product, process: Process, disconnecting: Integration
) -> None:
    """The grant is revoked only once it is no longer needed to remove the subscription."""
    product.calendly.fail_next("delete", CalendlyUnavailable("down"))

    with pytest.raises(CalendlyUnavailable):
        await process.finish_disconnect(disconnecting.id, forced=False)

    assert product.calendly.calls["revoke"] == 0
    assert await product.stored(disconnecting.id) == disconnecting


async def test_an_erasure_waits_for_the_revocation(
    product: Product, process: Process, disconnecting: Integration
) -> None:
    """While Calendly cannot be reached the tokens are kept, and a retry finishes the work."""
    product.calendly.fail_next("revoke", CalendlyUnavailable("down"))
    with pytest.raises(CalendlyUnavailable):
        await process.finish_disconnect(disconnecting.id, forced=False)
    assert await product.stored(disconnecting.id) == disconnecting

    assert await process.finish_disconnect(disconnecting.id, forced=False) == ERASED
    assert is_gone(product)


async def test_force_erases_without_calendly(
    product: Product, process: Process, disconnecting: Integration
) -> None:
    """When forced, the account is erased although Calendly is down, and that is reported."""
    product.calendly.fail_always("delete", CalendlyUnavailable("down"))

    result = await process.finish_disconnect(disconnecting.id, forced=True)

    assert result == ERASED_UNREVOKED
    assert product.storage.state.integrations == {}


async def test_a_lost_key_needs_force(
    product: Product, process: Process, disconnecting: Integration
) -> None:
    """Tokens that cannot be opened cannot be revoked: only force erases them."""
    product.vault.lose("key-1")
    with pytest.raises(SealedValueUnreadable):
        await process.finish_disconnect(disconnecting.id, forced=False)

    assert await process.finish_disconnect(disconnecting.id, forced=True) == ERASED_UNREVOKED


async def test_force_still_tries_each_step(
    product: Product, process: Process, disconnecting: Integration
) -> None:
    """A failed step does not stop the others when forced: the grant is revoked."""
    product.calendly.fail_always("all", CalendlyUnavailable("down"))
    product.calendly.fail_next("revoke", CalendlyUnavailable("down"))

    assert await process.finish_disconnect(disconnecting.id, forced=True) == ERASED_UNREVOKED

    assert product.calendly.calls["revoke"] == 2
    assert all(grant.revoked for grant in product.calendly.grants)


async def test_a_dead_grant_is_erased_and_reported(
    product: Product, process: Process, disconnecting: Integration
) -> None:
    """A grant that is dead at Calendly is erased here immediately, and reported as unrevoked."""
    product.calendly.revoke_grants(disconnecting.account.user_uri)

    assert await process.finish_disconnect(disconnecting.id, forced=False) == ERASED_UNREVOKED
    assert product.storage.state.integrations == {}


async def test_a_subscription_that_is_not_ours_any_more_is_left(
    product: Product, process: Process, disconnecting: Integration
) -> None:
    """A user who left the organization can still disconnect."""
    product.calendly.fail_next("delete", CalendlyForbidden("no"))

    assert await process.finish_disconnect(disconnecting.id, forced=False) == ERASED
    assert all(grant.revoked for grant in product.calendly.grants)


async def test_an_account_without_subscription_is_disconnected(
    product: Product, process: Process
) -> None:
    """An account whose onboarding never got to the subscription can be disconnected."""
    connected = await product.connect()
    await product.mark_disconnecting(connected.id)

    assert await process.finish_disconnect(connected.id, forced=False) == ERASED
    assert product.calendly.calls["delete"] == 0


async def test_an_account_without_tokens_is_disconnected(
    product: Product, process: Process
) -> None:
    """An account whose grant died is erased without asking Calendly."""
    connected = await product.connect()
    product.calendly.revoke_grants(connected.account.user_uri)
    with pytest.raises(ReauthRequired):
        await process.refresh.run(connected.id)
    await product.mark_disconnecting(connected.id)

    assert await process.finish_disconnect(connected.id, forced=False) == ERASED_UNREVOKED
    assert product.storage.state.integrations == {}


async def test_only_a_disconnecting_account_is_erased(product: Product, process: Process) -> None:
    """A job for an account that is gone, or connected, touches nothing."""
    connected = await product.connect()
    assert await process.finish_disconnect(connected.id, forced=True) == ABSENT
    assert (await product.stored(connected.id)).status is Status.ACTIVE
    await product.mark_disconnecting(connected.id)
    await process.finish_disconnect(connected.id, forced=False)

    assert await process.finish_disconnect(connected.id, forced=False) == ABSENT


async def test_a_disconnection_may_die_anywhere() -> None:
    """After a crash at any step a retry leaves nothing behind on either side."""
    for step in count():
        product = Product()
        process = Process(product, "process-1")
        disconnecting = await leave(product, process)
        product.steps.die_at(step)
        try:
            await process.finish_disconnect(disconnecting.id, forced=False)
        except asyncio.CancelledError:
            product.clock.advance(LEASE)
            await process.finish_disconnect(disconnecting.id, forced=False)
            assert is_gone(product), product.steps.died_at
        else:
            assert step >= 12
            return


async def test_a_failure_gives_the_lease_back(
    product: Product, process: Process, disconnecting: Integration
) -> None:
    """A failed attempt does not delay the next one, of any process."""
    product.calendly.fail_next("all", CalendlyUnavailable("down"))
    with pytest.raises(CalendlyUnavailable):
        await process.finish_disconnect(disconnecting.id, forced=False)

    other = Process(product, "process-2")
    assert await other.finish_disconnect(disconnecting.id, forced=False) == ERASED


async def test_leftover_subscriptions_go_too(
    product: Product, process: Process, disconnecting: Integration
) -> None:
    """Subscriptions of ours that were forgotten, and the one at an old address, are removed."""
    access = product.calendly.access(disconnecting.account.user_uri)
    orphan = f"{own_prefix(CALLBACK_BASE, disconnecting.id)}orphan"
    await product.calendly.create(access, disconnecting.account, orphan, USER_EVENTS, OWN_KEY)
    old = await product.calendly.create(
        access, disconnecting.account, "https://old.example/hook", USER_EVENTS, OWN_KEY
    )
    other = await product.calendly.create(
        access, disconnecting.account, "https://elsewhere.example/hook", USER_EVENTS, OWN_KEY
    )
    async with product.storage() as uow:
        known = Subscription(key="old", uri=old.uri)
        await uow.integrations.put_subscription(disconnecting.id, known)
        await uow.commit()

    assert await process.finish_disconnect(disconnecting.id, forced=False) == ERASED

    assert [*product.calendly.subscriptions] == [other.uri]


async def test_how_it_ended_is_counted(
    product: Product, process: Process, disconnecting: Integration
) -> None:
    """Operators see that an account was erased, and whether Calendly may still have the grant."""
    other = await leave(product, process, "bob")
    await process.finish_disconnect(disconnecting.id, forced=False)
    product.calendly.fail_always("revoke", CalendlyUnavailable("down"))
    await process.finish_disconnect(other.id, forced=True)

    counts = [
        product.telemetry.seen["integration_disconnected", each]
        for each in (ERASED, ERASED_UNREVOKED)
    ]
    assert counts == [1, 1]


async def test_an_erasure_whose_commit_was_not_answered_is_reported(
    product: Product, process: Process, disconnecting: Integration
) -> None:
    """When the answer to the erasure is lost it counts, and its result is still reported."""
    hold = product.calendly.hold_next("revoke")
    task = asyncio.create_task(process.finish_disconnect(disconnecting.id, forced=False))
    await hold.reached.wait()
    product.storage.fail_next_commit(stored=True)
    hold.release()

    assert await task == ERASED
    assert is_gone(product)
    assert product.telemetry.seen["integration_disconnected", ERASED] == 1
