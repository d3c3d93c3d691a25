import asyncio
from itertools import count

import pytest

from application.finish_disconnect import ABSENT, ERASED, ERASED_UNREVOKED
from domain.errors import (
    CalendlyForbidden,
    CalendlyUnavailable,
    GrantRefused,
    SealedValueUnreadable,
)
from domain.integration import Integration, Status
from tests.application.building import Product
from tests.application.process import Process


@pytest.fixture
async def leaving(product: Product, process: Process) -> Integration:
    """An integration with a subscription, marked as disconnecting."""
    return await arrange(product, process)


async def arrange(product: Product, process: Process) -> Integration:
    """Connect, subscribe and mark as disconnecting."""
    connected = await product.connect()
    await process.ensure(connected.id)
    await product.mark_disconnecting(connected.id)
    return await product.stored(connected.id)


def is_gone(product: Product) -> bool:
    """Whether nothing is left of the integration, on either side."""
    return (
        product.storage.state.integrations == {}
        and product.calendly.subscriptions == {}
        and all(grant.revoked for grant in product.calendly.grants)
    )


async def test_everything_is_given_back(
    product: Product, process: Process, leaving: Integration
) -> None:
    """A disconnection removes the subscription, revokes the grant and erases the account."""
    assert await process.finish_disconnect(leaving.id, forced=False) == ERASED
    assert is_gone(product)
    assert product.calendly.calls["revoke"] == 2  # the refresh token and the access token


async def test_the_subscription_goes_first(
    product: Product, process: Process, leaving: Integration
) -> None:
    """The grant is revoked only once it is no longer needed to remove the subscription."""
    product.calendly.fail_next("delete", CalendlyUnavailable("down"))

    with pytest.raises(CalendlyUnavailable):
        await process.finish_disconnect(leaving.id, forced=False)

    assert product.calendly.calls["revoke"] == 0
    assert await product.stored(leaving.id) == leaving


async def test_an_erasure_waits_for_the_revocation(
    product: Product, process: Process, leaving: Integration
) -> None:
    """While Calendly cannot be told the tokens are kept, and repeating finishes the work."""
    product.calendly.fail_next("revoke", CalendlyUnavailable("down"))
    with pytest.raises(CalendlyUnavailable):
        await process.finish_disconnect(leaving.id, forced=False)
    assert await product.stored(leaving.id) == leaving

    assert await process.finish_disconnect(leaving.id, forced=False) == ERASED
    assert is_gone(product)


async def test_force_erases_without_calendly(
    product: Product, process: Process, leaving: Integration
) -> None:
    """When told to, the account is erased although Calendly is down, and that is said."""
    product.calendly.fail_always("delete", CalendlyUnavailable("down"))

    result = await process.finish_disconnect(leaving.id, forced=True)

    assert result == ERASED_UNREVOKED
    assert product.storage.state.integrations == {}


async def test_a_lost_key_needs_force(
    product: Product, process: Process, leaving: Integration
) -> None:
    """Tokens that cannot be opened cannot be revoked: only force erases them."""
    product.vault.lose("key-1")
    with pytest.raises(SealedValueUnreadable):
        await process.finish_disconnect(leaving.id, forced=False)

    assert await process.finish_disconnect(leaving.id, forced=True) == ERASED_UNREVOKED


async def test_a_dead_access_token_is_renewed_for_the_last_time(
    product: Product, process: Process, leaving: Integration
) -> None:
    """An account that was idle for long is unsubscribed and revoked all the same."""
    product.calendly.expire_access_tokens(leaving.account.user_uri)

    assert await process.finish_disconnect(leaving.id, forced=False) == ERASED
    assert is_gone(product)
    assert product.calendly.calls["refresh"] == 1


async def test_a_renewed_grant_is_not_left_behind(
    product: Product, process: Process, leaving: Integration
) -> None:
    """When unsubscribing fails after the last renewal, the new grant is revoked nevertheless."""
    product.calendly.expire_access_tokens(leaving.account.user_uri)
    hold = product.calendly.hold_next("refresh")
    task = asyncio.create_task(process.finish_disconnect(leaving.id, forced=False))
    await hold.reached.wait()
    product.calendly.fail_next("delete", CalendlyUnavailable("down"))
    hold.release()
    with pytest.raises(CalendlyUnavailable):
        await task

    assert await process.finish_disconnect(leaving.id, forced=False) == ERASED
    assert all(grant.revoked for grant in product.calendly.grants)


async def test_a_dead_grant_needs_no_revocation(
    product: Product, process: Process, leaving: Integration
) -> None:
    """A grant that the user already removed at Calendly is simply erased here."""
    product.calendly.revoke_grants(leaving.account.user_uri)

    assert await process.finish_disconnect(leaving.id, forced=False) == ERASED
    assert product.storage.state.integrations == {}
    assert product.calendly.calls["revoke"] == 0


async def test_a_subscription_that_is_not_ours_any_more_is_left(
    product: Product, process: Process, leaving: Integration
) -> None:
    """A user who left the organization can still disconnect."""
    product.calendly.fail_next("delete", CalendlyForbidden("no"))

    assert await process.finish_disconnect(leaving.id, forced=False) == ERASED
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
    with pytest.raises(GrantRefused):
        await process.refresh(connected.id)
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
    """Whatever step a process dies at, doing it again leaves nothing behind on either side."""
    for step in count():
        product = Product()
        process = Process(product, "process-1")
        leaving = await arrange(product, process)
        product.steps.die_at(step)
        try:
            await process.finish_disconnect(leaving.id, forced=False)
        except asyncio.CancelledError:
            await process.finish_disconnect(leaving.id, forced=False)
            assert is_gone(product), product.steps.died_at
        else:
            assert step >= 8
            return
