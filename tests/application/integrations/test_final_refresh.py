import asyncio
from itertools import count

import pytest
from msgspec.structs import replace

from application.integrations.finish_disconnect import ERASED, ERASED_UNREVOKED
from application.tokens.token_encryption import seal_pair
from domain.errors import (
    CalendlyUnavailable,
    CalendlyUncertain,
    RefreshInProgress,
    StorageUnavailable,
)
from domain.integration import Integration, Status
from tests.application.support.building import Product
from tests.application.support.disconnect_setup import is_gone, leave
from tests.application.support.process import LEASE, Process


@pytest.fixture
async def disconnecting(product: Product, process: Process) -> Integration:
    """An integration with a subscription, marked as disconnecting."""
    return await leave(product, process)


async def test_force_revokes_what_cannot_be_renewed(
    product: Product, process: Process, disconnecting: Integration
) -> None:
    """When the last renewal fails while forced, the grant is revoked with the old tokens."""
    product.calendly.expire_access_tokens(disconnecting.account.user_uri)
    product.calendly.fail_always("refresh", CalendlyUnavailable("down"))

    assert await process.finish_disconnect(disconnecting.id, forced=True) == ERASED_UNREVOKED

    assert all(grant.revoked for grant in product.calendly.grants)
    assert product.storage.state.integrations == {}


async def test_a_dead_access_token_is_renewed_for_the_last_time(
    product: Product, process: Process, disconnecting: Integration
) -> None:
    """An account that was idle for long is still unsubscribed and revoked."""
    product.calendly.expire_access_tokens(disconnecting.account.user_uri)

    assert await process.finish_disconnect(disconnecting.id, forced=False) == ERASED
    assert is_gone(product)
    assert product.calendly.calls["refresh"] == 1


async def test_a_renewed_grant_is_not_left_behind(
    product: Product, process: Process, disconnecting: Integration
) -> None:
    """When unsubscribing fails after the last renewal, the next attempt has the new grant."""
    product.calendly.expire_access_tokens(disconnecting.account.user_uri)
    hold = product.calendly.hold_next("refresh")
    task = asyncio.create_task(process.finish_disconnect(disconnecting.id, forced=False))
    await hold.reached.wait()
    product.calendly.fail_next("delete", CalendlyUnavailable("down"))
    hold.release()
    with pytest.raises(CalendlyUnavailable):
        await task

    assert await process.finish_disconnect(disconnecting.id, forced=False) == ERASED
    assert is_gone(product)
    assert product.calendly.calls["refresh"] == 1


async def test_a_renewal_may_die_anywhere() -> None:
    """A final refresh whose answer was lost with its process is never reported as a clean end."""
    died_at = []
    for step in count():
        product = Product()
        process = Process(product, "process-1")
        disconnecting = await leave(product, process)
        product.calendly.expire_access_tokens(disconnecting.account.user_uri)
        product.steps.die_at(step)
        try:
            await process.finish_disconnect(disconnecting.id, forced=False)
        except asyncio.CancelledError:
            product.clock.advance(LEASE)
            result = await process.finish_disconnect(disconnecting.id, forced=False)
            assert result == ERASED_UNREVOKED or is_gone(product), product.steps.died_at
            died_at.append(product.steps.died_at)
            assert product.storage.state.integrations == {}
        else:
            assert {"before refresh", "after refresh"} <= set(died_at)
            return


async def test_a_refresh_under_way_is_waited_for(
    product: Product, process: Process, disconnecting: Integration
) -> None:
    """A refresh that runs at the disconnect ends first; its pair is revoked too."""
    again = await product.connect("grace")
    hold = product.calendly.hold_next("refresh")
    refreshing = asyncio.create_task(Process(product, "process-2").refresh.run(again.id))
    await hold.reached.wait()
    await product.mark_disconnecting(again.id)

    for forced in (False, True):
        with pytest.raises(RefreshInProgress):
            await process.finish_disconnect(again.id, forced=forced)
    hold.release()
    await asyncio.wait([refreshing])
    assert await process.finish_disconnect(again.id, forced=False) == ERASED

    assert [grant.revoked for grant in product.calendly.grants] == [False, True]
    assert [*product.storage.state.integrations] == [disconnecting.id]


async def test_an_uncertain_renewal_is_never_called_clean(
    product: Product, process: Process, disconnecting: Integration
) -> None:
    """A lost answer to the final refresh is not retried immediately; the end reports its cost."""
    product.calendly.expire_access_tokens(disconnecting.account.user_uri)
    product.calendly.fail_next("refresh", CalendlyUncertain("lost"), processed=True)
    with pytest.raises(CalendlyUncertain):
        await process.finish_disconnect(disconnecting.id, forced=False)
    with pytest.raises(RefreshInProgress):
        await process.finish_disconnect(disconnecting.id, forced=False)
    product.clock.advance(LEASE)

    assert await process.finish_disconnect(disconnecting.id, forced=False) == ERASED_UNREVOKED


@pytest.mark.parametrize("stored", [True, False])
async def test_a_renewed_pair_is_stored_until_it_is(
    product: Product, process: Process, disconnecting: Integration, *, stored: bool
) -> None:
    """A store that falls silent over the new pair, before or after storing it, loses nothing."""
    product.calendly.expire_access_tokens(disconnecting.account.user_uri)
    hold = product.calendly.hold_next("refresh")
    task = asyncio.create_task(process.finish_disconnect(disconnecting.id, forced=False))
    await hold.reached.wait()
    product.storage.fail_next_commit(stored=stored)
    hold.release()

    assert await task == ERASED
    assert is_gone(product)


async def test_a_renewed_pair_that_cannot_be_stored_is_given_back(
    product: Product, process: Process, disconnecting: Integration
) -> None:
    """When the store stays down, the new pair is revoked, because it will not be known."""
    product.calendly.expire_access_tokens(disconnecting.account.user_uri)
    hold = product.calendly.hold_next("refresh")
    task = asyncio.create_task(process.finish_disconnect(disconnecting.id, forced=False))
    await hold.reached.wait()
    product.storage.away = True
    hold.release()

    with pytest.raises(StorageUnavailable):
        await task

    product.storage.away = False
    assert all(grant.revoked for grant in product.calendly.grants)
    assert (await product.stored(disconnecting.id)).status is Status.DISCONNECTING


async def test_a_late_pair_is_not_erased_unrevoked(
    product: Product, process: Process, disconnecting: Integration
) -> None:
    """Tokens that changed while the old ones were revoked are kept for the next attempt."""
    hold = product.calendly.hold_next("revoke")
    task = asyncio.create_task(process.finish_disconnect(disconnecting.id, forced=False))
    await hold.reached.wait()
    pair = product.calendly.grant(disconnecting.account.user_uri)
    newer = replace(
        disconnecting, tokens=seal_pair(product.vault, disconnecting.id, pair, version=2)
    )
    async with product.storage() as uow:
        await uow.integrations.put_connected(newer)
        await uow.commit()
    hold.release()

    with pytest.raises(RefreshInProgress):
        await task
    assert await process.finish_disconnect(disconnecting.id, forced=False) == ERASED

    assert is_gone(product)
