import asyncio
from datetime import timedelta

import pytest

from application.tokens.refresh_tokens import POLL
from domain.errors import (
    CalendlyThrottled,
    IntegrationNotFound,
    ReauthRequired,
    RefreshInProgress,
)
from domain.ids import IntegrationId
from domain.integration import Status, usable_tokens
from domain.token import TOKEN_REQUESTS
from tests.application.support.building import Product
from tests.application.support.late_answer import LateAnswer, slow_refresh
from tests.application.support.leasing import leased
from tests.application.support.process import LEASE, Process


async def test_many_callers_make_one_exchange(product: Product) -> None:
    """Many callers in many processes find a token dead, and it is spent once."""
    connected = await product.connect()
    processes = [Process(product, f"process-{number}") for number in range(5)]

    results = await asyncio.gather(
        *(each.refresh.run(connected.id, stale_version=1) for each in processes for _ in range(10))
    )

    assert product.calendly.calls["refresh"] == 1
    assert {usable_tokens(each).version for each in results} == {2}
    assert await product.stored(connected.id) == results[0]


async def test_a_newer_version_is_returned_without_an_exchange(
    product: Product, process: Process
) -> None:
    """A caller with an old version gets the newer one that is already stored."""
    connected = await product.connect()
    await process.refresh.run(connected.id)

    found = await process.refresh.run(connected.id, stale_version=1)

    assert product.calendly.calls["refresh"] == 1
    assert usable_tokens(found).version == 2


async def test_without_a_stale_version_the_current_one_is_refreshed(
    product: Product, process: Process
) -> None:
    """A refresh that names no version makes a newer one each time."""
    connected = await product.connect()

    versions = [usable_tokens(await process.refresh.run(connected.id)).version for _ in range(2)]

    assert versions == [2, 3]


async def test_the_current_version_named_as_stale_is_refreshed(
    product: Product, process: Process
) -> None:
    """The version that is stored, found not to work, is exchanged for the next."""
    connected = await product.connect()

    fresh = await process.refresh.run(connected.id, stale_version=1)

    assert usable_tokens(fresh).version == 2


async def test_a_refresh_that_ended_between_look_and_lease_is_not_repeated(
    product: Product, process: Process
) -> None:
    """A process that gets the lease after another one finished releases it and spends nothing."""
    connected = await product.connect()
    other = Process(product, "process-2")
    # The first opening is this caller's look; the other process is done before the second.
    async with product.storage() as look:
        seen = await look.integrations.get(connected.id)
    assert seen is not None
    await other.refresh.run(connected.id)
    now = product.clock.now()
    async with product.storage() as uow:
        taken = await uow.refresh_queue.take(connected.id, process.name, now, now + LEASE)
        await uow.commit()
    assert taken is not None

    found = await process.refresh._refresh(*taken, usable_tokens(seen).version)

    assert usable_tokens(found).version == 2
    assert product.calendly.calls["refresh"] == 1
    assert product.storage.state.integrations[connected.id].lease is None


async def test_a_held_lease_is_waited_for_only_so_long(product: Product, process: Process) -> None:
    """While another process holds the lease nothing is sent, and the caller gets an error in time."""
    connected = await product.connect()
    hold = product.calendly.hold_next("refresh")
    other = asyncio.create_task(Process(product, "process-2").refresh.run(connected.id))
    await hold.reached.wait()

    with pytest.raises(RefreshInProgress) as refusal:
        await process.refresh.run(connected.id)

    assert refusal.value.retry_after == 5
    assert product.calendly.calls["refresh"] == 1
    hold.release()
    await other


async def test_after_a_429_no_caller_waits(product: Product, process: Process) -> None:
    """After a 429 to a token request no caller waits: each learns how long the wait still lasts."""
    connected = await product.connect()
    product.calendly.fail_next("refresh", CalendlyThrottled("429", retry_after=60))
    with pytest.raises(CalendlyThrottled):
        await process.refresh.run(connected.id)
    product.clock.advance(timedelta(seconds=20))
    began = asyncio.get_running_loop().time()

    with pytest.raises(CalendlyThrottled) as refusal:
        await Process(product, "process-2").refresh.run(connected.id)

    assert refusal.value.retry_after == 40
    assert asyncio.get_running_loop().time() - began < POLL / 2
    assert product.calendly.calls["refresh"] == 1


async def test_after_the_wait_of_a_429_callers_wait_for_a_refresh_again(
    product: Product, process: Process
) -> None:
    """A caller that meets the first refresh after a wait gets its tokens, without an error."""
    connected = await product.connect()
    product.calendly.fail_next("refresh", CalendlyThrottled("429", retry_after=60))
    with pytest.raises(CalendlyThrottled):
        await process.refresh.run(connected.id)
    product.clock.advance(timedelta(seconds=60))
    taken = await leased(product, connected.id)
    waiting = asyncio.create_task(Process(product, "process-2").refresh.run(connected.id))
    await asyncio.sleep(POLL * 3)

    fresh = await process.refresh_under_lease.run(*taken)

    assert await waiting == fresh
    assert product.calendly.calls["refresh"] == 2


async def test_used_up_token_requests_are_an_immediate_error(
    product: Product, process: Process
) -> None:
    """A caller beyond the token requests of a minute learns when the next one may be sent."""
    connected = await product.connect()
    for _ in range(TOKEN_REQUESTS):
        await process.refresh.run(connected.id)
    product.clock.advance(timedelta(seconds=20))

    for _ in range(2):
        with pytest.raises(CalendlyThrottled) as refusal:
            await process.refresh.run(connected.id)

        assert refusal.value.retry_after == 40
    assert product.calendly.calls["refresh"] == TOKEN_REQUESTS


async def test_a_dead_grant_is_an_immediate_error(product: Product, process: Process) -> None:
    """The caller that finds a grant dead gets the same error as all later ones, who send nothing."""
    connected = await product.connect()
    product.calendly.revoke_grants(connected.account.user_uri)

    for _ in range(2):
        with pytest.raises(ReauthRequired) as refusal:
            await process.refresh.run(connected.id)

        assert refusal.value.cause == "grant_refused"
    assert product.calendly.calls["refresh"] == 1


async def test_the_losers_of_a_refusal_learn_of_it(product: Product) -> None:
    """Callers that wait for a refresh which is refused learn that a person is needed."""
    connected = await product.connect()
    product.calendly.revoke_grants(connected.account.user_uri)
    processes = [Process(product, f"process-{number}") for number in range(3)]

    results = await asyncio.gather(
        *(each.refresh.run(connected.id) for each in processes), return_exceptions=True
    )

    assert product.calendly.calls["refresh"] == 1
    assert [type(each) for each in results] == [ReauthRequired] * 3


async def test_a_refusal_that_a_late_pair_undid_is_none(
    product: Product, process: Process
) -> None:
    """A caller that gave an account up just before a slower process saved it uses the saved pair."""
    connected = await product.connect()
    line = LateAnswer(product)
    slow = asyncio.create_task(
        slow_refresh(product, line).run(*await leased(product, connected.id))
    )
    await line.processed.wait()
    product.clock.advance(LEASE)
    hold = product.calendly.hold_next("refresh")
    refused = asyncio.create_task(process.refresh.run(connected.id))
    await hold.reached.wait()
    async with product.storage():
        # Both wait for the store now, the refused one first.
        hold.release()
        await asyncio.sleep(1)
        line.release()
        await asyncio.sleep(1)

    saved = await slow
    assert (await refused).tokens == saved.tokens
    assert (await refused).status is Status.ACTIVE
    assert product.telemetry.seen["token_refresh", "grant_refused"] == 1


async def test_an_absent_integration_is_not_found(product: Product, process: Process) -> None:
    """A refresh for an integration that does not exist reports it."""
    with pytest.raises(IntegrationNotFound):
        await process.refresh.run(IntegrationId(product.randomness.new_id()))


async def test_a_disconnecting_account_is_not_refreshed(
    product: Product, process: Process
) -> None:
    """While an account is being disconnected its token is left for the disconnection."""
    connected = await product.connect()
    await product.mark_disconnecting(connected.id)

    with pytest.raises(IntegrationNotFound):
        await process.refresh.run(connected.id)

    assert product.calendly.calls["refresh"] == 0
