import asyncio
from contextlib import suppress
from datetime import timedelta

import pytest
from msgspec.structs import replace

from application.ports.storage.breakers import Surface
from application.tokens.token_encryption import open_access
from domain.errors import (
    CalendlyUnavailable,
    GrantRefused,
    IntegrationNotFound,
    RefreshInProgress,
    SlotkeeperError,
    StorageUnavailable,
)
from domain.integration import REFRESH_OPEN_FOR, Cause, Recovery, Status, usable_tokens
from tests.application.support.building import Product
from tests.application.support.late_answer import LateAnswer, slow_refresh
from tests.application.support.leasing import leased
from tests.application.support.process import LEASE, Process
from tests.fakes.clock import NOON


async def test_a_lease_lost_before_the_request_sends_nothing(
    product: Product, process: Process
) -> None:
    """A process that lost the lease never spends the token."""
    connected = await product.connect()
    mine = await leased(product, connected.id)
    product.clock.advance(LEASE)
    await leased(product, connected.id)

    with pytest.raises(RefreshInProgress):
        await process.refresh_under_lease.run(*mine)

    assert product.calendly.calls["refresh"] == 0
    assert await product.stored(connected.id) == connected


async def test_a_lease_that_ran_out_in_a_queue_sends_nothing(
    product: Product, process: Process
) -> None:
    """A process that waited as long as its lease lasts spends nothing, even without a successor."""
    connected = await product.connect()
    mine = await leased(product, connected.id)
    product.clock.advance(LEASE)

    with pytest.raises(RefreshInProgress):
        await process.refresh_under_lease.run(*mine)

    assert product.calendly.calls["refresh"] == 0


async def test_a_lease_is_renewed_by_the_request(product: Product) -> None:
    """A refresh that begins at the end of its lease is not interrupted while its request is out."""
    connected = await product.connect()
    line, moment = LateAnswer(product), timedelta(microseconds=1)
    taken = await leased(product, connected.id)
    product.clock.advance(LEASE - moment)
    task = asyncio.create_task(slow_refresh(product, line).run(*taken))
    await line.processed.wait()
    product.clock.advance(LEASE - moment)

    now = product.clock.now()
    async with product.storage() as uow:
        interrupted = await uow.refresh_queue.take(connected.id, "other", now, now + LEASE)
    line.release()

    assert interrupted is None
    assert usable_tokens(await task).version == 2


async def test_a_disconnect_before_the_request_gets_the_lease(
    product: Product, process: Process
) -> None:
    """A refresh that finds its account being disconnected sends nothing and does not block that."""
    connected = await product.connect()
    taken = await leased(product, connected.id)
    await product.mark_disconnecting(connected.id)

    with pytest.raises(RefreshInProgress):
        await process.refresh_under_lease.run(*taken)

    assert product.calendly.calls["refresh"] == 0
    assert product.storage.state.integrations[connected.id].lease is None


async def test_a_late_pair_outlives_the_refusal_of_its_parent(
    product: Product, process: Process
) -> None:
    """A process so slow that another one is refused and gives up still saves the account."""
    connected = await product.connect()
    line = LateAnswer(product)
    taken = await leased(product, connected.id)
    task = asyncio.create_task(slow_refresh(product, line).run(*taken))
    await line.processed.wait()
    product.clock.advance(LEASE)
    with pytest.raises(GrantRefused):
        await process.refresh_under_lease.run(*await leased(product, connected.id))
    given_up = await product.stored(connected.id)
    line.release()

    fresh = await task

    assert given_up.status is Status.REAUTH_REQUIRED
    recovery = Recovery(Cause.REFRESH_OUTCOME_LOST, product.clock.now())
    assert await product.stored(connected.id) == replace(fresh, recovery=recovery)
    assert product.telemetry.seen["integration_recovered", Cause.REFRESH_OUTCOME_LOST] == 1
    access = open_access(product.vault, fresh)
    assert await product.calendly.me(access) == connected.account


async def test_a_late_pair_that_was_refused_itself_stays_out(
    product: Product, process: Process
) -> None:
    """A pair that another process found dead is not stored again by the one that is late."""
    connected = await product.connect()
    slow = Process(product, "slow")
    hold = product.calendly.hold_next("refresh")
    task = asyncio.create_task(slow.refresh_under_lease.run(*await leased(product, connected.id)))
    await hold.reached.wait()
    product.storage.fail_next_commit(stored=True)
    hold.release()
    await asyncio.sleep(0.01)
    product.storage.away = True
    await asyncio.sleep(1)
    product.storage.away = False
    assert usable_tokens(await product.stored(connected.id)).version == 2
    product.calendly.revoke_grants(connected.account.user_uri)
    with pytest.raises(GrantRefused):
        await process.refresh_under_lease.run(*await leased(product, connected.id))
    given_up = await product.stored(connected.id)

    with suppress(SlotkeeperError):
        await task

    assert await product.stored(connected.id) == given_up
    assert given_up.attention is not None
    assert given_up.attention.cause is Cause.GRANT_REFUSED


async def test_a_refusal_while_another_exchange_is_open_is_postponed(
    product: Product, process: Process
) -> None:
    """No tokens are erased while a pair that came of them may be on its way."""
    connected = await product.connect()
    line, short = LateAnswer(product), REFRESH_OPEN_FOR / 2
    taken = await leased(product, connected.id)
    task = asyncio.create_task(slow_refresh(product, line, short).run(*taken))
    await line.processed.wait()
    product.clock.advance(short)

    with pytest.raises(RefreshInProgress) as refusal:
        await process.refresh_under_lease.run(*await leased(product, connected.id))

    assert refusal.value.retry_after == short.total_seconds()
    left = await product.stored(connected.id)
    assert (left.status, left.tokens) == (Status.ACTIVE, connected.tokens)
    assert left.exchange_started_at == NOON
    line.release()
    fresh = await task
    assert await product.stored(connected.id) == fresh


async def test_a_refusal_after_a_stored_pair_returns_the_pair(
    product: Product, process: Process
) -> None:
    """A process that is refused just after a slower one stored the pair uses that pair."""
    connected = await product.connect()
    line, short = LateAnswer(product), REFRESH_OPEN_FOR / 2
    taken = await leased(product, connected.id)
    slow = asyncio.create_task(slow_refresh(product, line, short).run(*taken))
    await line.processed.wait()
    product.clock.advance(short)
    hold = product.calendly.hold_next("refresh")
    refused = asyncio.create_task(
        process.refresh_under_lease.run(*await leased(product, connected.id))
    )
    await hold.reached.wait()
    line.release()
    fresh = await slow
    hold.release()

    assert await refused == fresh
    assert product.storage.state.integrations[connected.id].lease is None


async def test_a_refusal_after_a_faster_process_is_fine(
    product: Product, process: Process
) -> None:
    """When another process already stored a newer pair, a refusal of the old token means nothing."""
    connected = await product.connect()
    slow = await leased(product, connected.id)
    hold = product.calendly.hold_next("refresh")
    task = asyncio.create_task(process.refresh_under_lease.run(*slow))
    await hold.reached.wait()
    product.clock.advance(LEASE)
    winner = await Process(product, "process-2").refresh_under_lease.run(
        *await leased(product, connected.id)
    )
    hold.release()

    result = await task

    assert result == winner
    assert await product.stored(connected.id) == winner
    assert product.telemetry.seen == {
        ("token_refresh", "refreshed"): 1,
        ("token_refresh", "lost_race"): 1,
    }


async def test_a_pair_that_comes_too_late_changes_nothing(
    product: Product, process: Process
) -> None:
    """An account that was connected again during a refresh keeps its new grant."""
    connected = await product.connect()
    slow = await leased(product, connected.id)
    hold = product.calendly.hold_next("refresh")
    task = asyncio.create_task(process.refresh_under_lease.run(*slow))
    await hold.reached.wait()
    product.clock.advance(LEASE)
    anew = replace(connected, connected_at=product.clock.now())
    async with product.storage() as uow:
        await uow.integrations.put_connected(anew)
        await uow.commit()
    hold.release()

    result = await task

    assert result == anew
    assert await product.stored(connected.id) == anew


async def test_an_account_that_vanished_is_not_found(product: Product, process: Process) -> None:
    """A refresh that ends after its account was erased says that there is none."""
    connected = await product.connect()
    slow = await leased(product, connected.id)
    hold = product.calendly.hold_next("refresh")
    task = asyncio.create_task(process.refresh_under_lease.run(*slow))
    await hold.reached.wait()
    async with product.storage() as uow:
        await uow.integrations.erase(connected.id)
        await uow.commit()
    hold.release()

    with pytest.raises(IntegrationNotFound):
        await task
    assert product.calendly.grants[0].revoked


async def test_a_pair_without_a_row_is_revoked(product: Product) -> None:
    """A pair that comes after the disconnection took the lease over does not outlive it."""
    connected = await product.connect()
    line = LateAnswer(product)
    taken = await leased(product, connected.id)
    task = asyncio.create_task(slow_refresh(product, line).run(*taken))
    await line.processed.wait()
    product.clock.advance(LEASE)
    now = product.clock.now()
    async with product.storage() as uow:
        await uow.integrations.mark_disconnecting(connected.id)
        await uow.refresh_queue.take(connected.id, "end", now, now + LEASE, disconnecting=True)
        await uow.commit()
    line.release()

    left = await task

    assert product.calendly.grants[0].revoked
    assert (left.status, left.tokens) == (Status.DISCONNECTING, connected.tokens)


async def test_a_pair_that_cannot_be_revoked_is_given_up(
    product: Product, process: Process
) -> None:
    """An account that vanished is reported as gone even if Calendly cannot be reached."""
    connected = await product.connect()
    hold = product.calendly.hold_next("refresh")
    task = asyncio.create_task(
        process.refresh_under_lease.run(*await leased(product, connected.id))
    )
    await hold.reached.wait()
    product.calendly.fail_always("revoke", CalendlyUnavailable("down"))
    async with product.storage() as uow:
        await uow.integrations.erase(connected.id)
        await uow.commit()
    hold.release()

    with pytest.raises(IntegrationNotFound):
        await task
    assert product.calendly.calls["revoke"] == 2


async def test_a_pair_is_stored_before_anything_else(product: Product, process: Process) -> None:
    """Between Calendly's answer and the commit of the pair nothing waits for the store."""
    failing, connected = await product.connect("bob"), await product.connect()
    product.calendly.fail_next("refresh", CalendlyUnavailable("down"))
    with pytest.raises(CalendlyUnavailable):
        await process.refresh_under_lease.run(*await leased(product, failing.id))
    taken = await leased(product, connected.id)
    hold = product.calendly.hold_next("refresh")
    task = asyncio.create_task(process.refresh_under_lease.run(*taken))
    await hold.reached.wait()
    # The second opening after the answer is the shared breaker's record.
    product.storage.fail_next(None, StorageUnavailable("away"))
    hold.release()

    fresh = await task

    assert await product.stored(connected.id) == fresh
    assert (await process.circuit_breakers.current(Surface.OAUTH)).failures == 1


async def test_a_short_outage_of_the_store_loses_no_pair(
    product: Product, process: Process
) -> None:
    """When the store is down for a moment after Calendly's answer, the new pair is still kept."""
    connected = await product.connect()
    taken = await leased(product, connected.id)
    hold = product.calendly.hold_next("refresh")
    task = asyncio.create_task(process.refresh_under_lease.run(*taken))
    await hold.reached.wait()
    product.storage.fail_next(*[StorageUnavailable("away")] * 3)
    hold.release()

    fresh = await task

    assert await product.stored(connected.id) == fresh
    assert fresh.tokens is not None
    assert fresh.tokens.version == 2


async def test_a_commit_whose_answer_was_lost_is_recognised(
    product: Product, process: Process
) -> None:
    """A pair that was stored although the store's answer was lost is not lost."""
    connected = await product.connect()
    taken = await leased(product, connected.id)
    hold = product.calendly.hold_next("refresh")
    task = asyncio.create_task(process.refresh_under_lease.run(*taken))
    await hold.reached.wait()
    product.storage.fail_next_commit(stored=True)
    hold.release()

    fresh = await task

    assert fresh.tokens is not None
    assert fresh.tokens.version == 2
    access = open_access(product.vault, fresh)
    assert await product.calendly.me(access) == connected.account


async def test_a_long_outage_of_the_store_is_an_error(product: Product, process: Process) -> None:
    """When the store does not come back the refresh fails, and the doubt stays recorded."""
    connected = await product.connect()
    taken = await leased(product, connected.id)
    hold = product.calendly.hold_next("refresh")
    task = asyncio.create_task(process.refresh_under_lease.run(*taken))
    await hold.reached.wait()
    product.storage.fail_next(*[StorageUnavailable("away")] * 50)
    hold.release()

    with pytest.raises(StorageUnavailable):
        await task

    stored = product.storage.state.integrations[connected.id].value
    assert stored.exchange_started_at == NOON


async def test_a_disconnect_under_way_stays_one(product: Product, process: Process) -> None:
    """A refresh that ends while the account is being disconnected does not revive it."""
    connected = await product.connect()
    taken = await leased(product, connected.id)
    hold = product.calendly.hold_next("refresh")
    task = asyncio.create_task(process.refresh_under_lease.run(*taken))
    await hold.reached.wait()
    await product.mark_disconnecting(connected.id)
    hold.release()
    await task

    assert (await product.stored(connected.id)).status is Status.DISCONNECTING


async def test_a_cancelled_exchange_stores_its_answer_first(
    product: Product, process: Process
) -> None:
    """A caller that goes away in the middle of a refresh costs no grant: it is stored behind it."""
    connected = await product.connect()
    hold = product.calendly.hold_next("refresh")
    task = asyncio.create_task(process.refresh.run(connected.id))
    await hold.reached.wait()

    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    hold.release()
    await product.background.settle()

    stored = await product.stored(connected.id)
    assert usable_tokens(stored).version == 2
    assert stored.exchange_started_at is None
    assert product.telemetry.seen == {("token_refresh", "refreshed"): 1}


async def test_a_cancelled_exchange_stores_its_failure_first(
    product: Product, process: Process
) -> None:
    """A caller that goes away in the middle of a refresh that fails leaves no doubt behind."""
    connected = await product.connect()
    product.calendly.fail_next("refresh", CalendlyUnavailable("down"))
    hold = product.calendly.hold_next("refresh")
    task = asyncio.create_task(process.refresh.run(connected.id))
    await hold.reached.wait()

    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    hold.release()
    await product.background.settle()

    stored = await product.stored(connected.id)
    assert (stored.exchange_started_at, stored.last_error_code) == (None, "calendly_unavailable")
