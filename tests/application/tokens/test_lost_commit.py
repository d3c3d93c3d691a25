"""The store is down just when Calendly has answered: the new pair is the only live one."""

import asyncio
from datetime import timedelta

import pytest

from application.ports.unsaved_tokens import UnsavedTokenPair
from application.tokens.refresh_under_lease import RefreshUnderLease
from application.tokens.token_encryption import open_access
from domain.errors import SlotkeeperError, StorageUnavailable
from domain.ids import IntegrationId
from domain.integration import Cause, Integration, Recovery, Status, usable_tokens
from tests.application.support.building import Product
from tests.application.support.leasing import leased
from tests.application.support.process import Process
from tests.application.support.recording import AwaitedBackground
from tests.fakes.unsaved_tokens import FakeUnsavedTokens

HALF_AN_HOUR = timedelta(minutes=30)
NEARLY_DEAD = timedelta(minutes=100)


async def answered_during_an_outage(
    product: Product,
    refresh: RefreshUnderLease,
    integration_id: IntegrationId,
    unsaved_tokens: FakeUnsavedTokens | None = None,
) -> asyncio.Task[Integration]:
    """Start an exchange and let the store go away before Calendly's answer arrives."""
    taken = await leased(product, integration_id)
    hold = product.calendly.hold_next("refresh")
    task = asyncio.create_task(refresh.run(*taken, unsaved_tokens))
    await hold.reached.wait()
    product.storage.away = True
    hold.release()
    return task


async def unsaved(
    product: Product, process: Process, integration_id: IntegrationId
) -> UnsavedTokenPair:
    """Return the pair that a job's exchange leaves when it ends during the outage."""
    unsaved_tokens = FakeUnsavedTokens()
    dying = await answered_during_an_outage(
        product, process.refresh_under_lease, integration_id, unsaved_tokens
    )
    await asyncio.sleep(60)
    dying.cancel()
    with pytest.raises(asyncio.CancelledError):
        await dying
    (pair,) = unsaved_tokens.sent
    return pair


async def works(product: Product, integration_id: IntegrationId) -> bool:
    """Whether the stored access token opens Calendly."""
    stored = await product.stored(integration_id)
    access = open_access(product.vault, stored)
    return await product.calendly.me(access) == stored.account


async def test_half_an_hour_without_the_store_loses_nothing(
    product: Product, process: Process
) -> None:
    """A job's exchange waits out an outage of 30 minutes with the pair in its heartbeats."""
    connected = await product.connect()
    unsaved_tokens = FakeUnsavedTokens()
    task = await answered_during_an_outage(
        product, process.refresh_under_lease, connected.id, unsaved_tokens
    )
    await asyncio.sleep(HALF_AN_HOUR.total_seconds())
    product.clock.advance(HALF_AN_HOUR)
    sent = unsaved_tokens.sent
    product.storage.away = False

    fresh = await task

    assert [pair.tokens for pair in sent] == [fresh.tokens]
    assert unsaved_tokens.kept() == ()
    assert await product.stored(connected.id) == fresh
    assert await works(product, connected.id)


async def test_the_next_attempt_stores_what_a_killed_one_could_not(
    product: Product, process: Process
) -> None:
    """When the worker dies during the outage, the next one commits the pair first."""
    connected = await product.connect()
    unsaved_tokens = FakeUnsavedTokens()
    dying = await answered_during_an_outage(
        product, process.refresh_under_lease, connected.id, unsaved_tokens
    )
    await asyncio.sleep(60)
    product.steps.die_at(0)
    dying.cancel()
    product.steps.live()
    product.clock.advance(NEARLY_DEAD)
    product.storage.away = False
    successor = Process(product, "process-2")

    job_result = await successor.refresh_due(
        10, lambda _: None, FakeUnsavedTokens(unsaved_tokens.sent)
    )

    assert job_result.done["restored"] == 1
    assert "grant_refused" not in job_result.failed
    assert await works(product, connected.id)


async def test_an_unsaved_pair_is_stored_once(product: Product, process: Process) -> None:
    """A pair that its own exchange stored after all is known, and nothing is overwritten."""
    connected = await product.connect()
    unsaved_tokens = FakeUnsavedTokens()
    task = await answered_during_an_outage(
        product, process.refresh_under_lease, connected.id, unsaved_tokens
    )
    await asyncio.sleep(60)
    product.storage.away = False
    await task
    newest = await process.refresh_under_lease.run(*await leased(product, connected.id))

    (pair,) = unsaved_tokens.sent
    again = FakeUnsavedTokens([pair])
    result = await process.recover.run(pair, again)

    assert result == "stored_already"
    assert again.kept() == ()
    assert await product.stored(connected.id) == newest


async def test_an_unsaved_pair_corrects_a_wrong_verdict(
    product: Product, process: Process
) -> None:
    """A process that was refused had sent the spent token again: the pair recovers the account."""
    connected = await product.connect()
    pair = await unsaved(product, process, connected.id)
    product.storage.away = False
    product.clock.advance(NEARLY_DEAD)
    other = Process(product, "process-2")
    await other.refresh_due(10, lambda _: None)
    verdict = (await product.stored(connected.id)).status

    result = await other.recover.run(pair, FakeUnsavedTokens([pair]))

    assert verdict is Status.REAUTH_REQUIRED
    assert result == "restored"
    stored = await product.stored(connected.id)
    assert stored.attention is None
    assert stored.recovery == Recovery(Cause.REFRESH_OUTCOME_LOST, pair.exchanged_at)
    assert product.telemetry.seen["integration_recovered", Cause.REFRESH_OUTCOME_LOST] == 1
    assert await works(product, connected.id)


async def test_an_unsaved_pair_of_an_erased_account_is_revoked(
    product: Product, process: Process
) -> None:
    """A pair whose row is gone is revoked at Calendly."""
    connected = await product.connect()
    pair = await unsaved(product, process, connected.id)
    product.storage.away = False
    async with product.storage() as uow:
        await uow.integrations.erase(connected.id)
        await uow.commit()

    result = await process.recover.run(pair, FakeUnsavedTokens([pair]))

    assert result == "given_back"
    assert product.calendly.calls["revoke"] == 2


async def test_a_user_does_not_wait_for_the_store(product: Product, process: Process) -> None:
    """Without a place for unsaved tokens the caller gets an error, and storing goes on."""
    connected = await product.connect()
    task = await answered_during_an_outage(product, process.refresh_under_lease, connected.id)

    with pytest.raises(StorageUnavailable):
        await task
    await asyncio.sleep(HALF_AN_HOUR.total_seconds())
    product.storage.away = False
    await product.background.settle()

    stored = await product.stored(connected.id)
    assert usable_tokens(stored).version == 2
    assert await works(product, connected.id)


async def test_a_shutdown_ends_even_without_the_store(product: Product, process: Process) -> None:
    """A process that shuts down retries a few times more and then keeps the pair as unsaved."""
    connected = await product.connect()
    unsaved_tokens = FakeUnsavedTokens()
    task = await answered_during_an_outage(
        product, process.refresh_under_lease, connected.id, unsaved_tokens
    )
    await asyncio.sleep(60)

    task.cancel()
    async with asyncio.timeout(30):
        with pytest.raises(asyncio.CancelledError):
            await task

    assert [pair.integration_id for pair in unsaved_tokens.sent] == [connected.id]


async def test_a_caller_that_goes_away_during_an_outage_costs_no_grant(
    product: Product, process: Process
) -> None:
    """A time-out of the caller that needed the token does not shorten the retries."""
    connected = await product.connect()
    task = await answered_during_an_outage(product, process.refresh_under_lease, connected.id)
    await asyncio.sleep(5)

    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.sleep(60)
    product.storage.away = False
    await product.background.settle()

    assert usable_tokens(await product.stored(connected.id)).version == 2
    assert await works(product, connected.id)


class RefusedError(SlotkeeperError):
    """The store's error for a value that it cannot hold."""


async def test_a_refused_text_does_not_cost_the_pair(product: Product, process: Process) -> None:
    """When the store refuses what an answer says beside its tokens, these are stored without it."""
    connected = await product.connect()
    product.calendly.grants[0].scopes = ("users:read", "webhooks:write")
    taken = await leased(product, connected.id)
    hold = product.calendly.hold_next("refresh")
    task = asyncio.create_task(process.refresh_under_lease.run(*taken))
    await hold.reached.wait()
    product.storage.fail_next_commit(RefusedError("A text cannot be stored."))
    hold.release()
    await task

    stored = await product.stored(connected.id)
    assert usable_tokens(stored).version == 2
    assert stored.scopes == connected.scopes
    assert await works(product, connected.id)


async def test_one_pair_that_cannot_be_restored_keeps_no_other(
    product: Product, process: Process
) -> None:
    """Of several unsaved pairs each is stored by itself, and the remaining ones are kept."""
    pairs: list[UnsavedTokenPair] = []
    for name in ("ada", "bob"):
        connected = await product.connect(name)
        pairs.append(await unsaved(product, process, connected.id))
        product.background = AwaitedBackground()
        product.storage.away = False
    successor = Process(product, "process-2")
    product.storage.fail_next_commit(RefusedError("Not this one."))
    unsaved_tokens = FakeUnsavedTokens(pairs)

    with pytest.raises(StorageUnavailable):
        await successor.refresh_due(10, lambda _: None, unsaved_tokens)

    assert len(unsaved_tokens.kept()) == 1
