import asyncio
from datetime import timedelta

import pytest

from application.ports.availability_cache import Part
from domain.cache_policy import Freshness
from domain.errors import (
    AvailabilityPending,
    CalendlyForbidden,
    CalendlyThrottled,
    CalendlyUnavailable,
    IntegrationNotFound,
    ReauthRequired,
)
from tests.application.building import Product
from tests.application.offering import Host, host
from tests.application.process import CACHE, Process
from tests.fakes.clock import NOON

A_MOMENT = timedelta(seconds=1)


@pytest.fixture
async def ada(product: Product) -> Host:
    """A host whose cache was never filled."""
    return await host(product)


@pytest.fixture
async def warm(ada: Host, process: Process, product: Product) -> Host:
    """The same host, just synced."""
    await process.sync(ada.integration.id)
    product.calendly.calls.clear()
    return ada


async def test_what_is_fresh_is_served(product: Product, process: Process, warm: Host) -> None:
    """A fresh part is served without any call to Calendly."""
    product.clock.advance(CACHE.soft_ttl)

    part = await process.cache.part(warm.integration.user_id, Part.EVENT_TYPES)

    assert part is not None
    assert part.fetched_at == NOON
    assert product.background.names == []
    assert product.calendly.calls.total() == 0
    assert product.signals.seen["availability_read", Part.EVENT_TYPES, Freshness.FRESH] == 1


async def test_what_is_stale_is_served_while_it_is_renewed(
    product: Product, process: Process, warm: Host
) -> None:
    """A stale part is served at once, and one fetch behind it brings the new one."""
    user_id = warm.integration.user_id
    product.clock.advance(CACHE.soft_ttl + A_MOMENT)

    served = await asyncio.gather(
        *(process.cache.part(user_id, Part.EVENT_TYPES) for _ in range(20))
    )
    await product.background.settle()
    renewed = await process.cache.part(user_id, Part.EVENT_TYPES)

    assert {each.fetched_at for each in served if each} == {NOON}
    assert len(served) == 20
    assert renewed is not None
    assert renewed.fetched_at == product.clock.now()
    assert product.calendly.calls["event_types"] == 1


async def test_what_was_invalidated_is_served_while_it_is_renewed(
    product: Product, process: Process, warm: Host
) -> None:
    """A part that a webhook overtook is served as such, and renewed behind the answer."""
    user_id = warm.integration.user_id
    product.clock.advance(A_MOMENT)
    async with product.storage() as uow:
        await uow.availability.invalidate([user_id], product.clock.now(), by="invitee.created")
        await uow.commit()
    product.clock.advance(A_MOMENT)

    part = await process.cache.part(user_id, Part.EVENT_TYPES)

    assert part is not None
    assert part.invalidated_by == "invitee.created"
    await product.background.settle()
    assert product.calendly.calls["event_types"] == 1
    renewed = await process.cache.part(user_id, Part.EVENT_TYPES)
    assert renewed is not None
    assert renewed.invalidated_at is None


async def test_a_failed_renewal_does_not_spoil_the_answer(
    product: Product, process: Process, warm: Host
) -> None:
    """While Calendly is down a stale part goes on being served."""
    product.clock.advance(CACHE.ttl)
    product.calendly.fail_always("event_types", CalendlyUnavailable("down"))

    part = await process.cache.part(warm.integration.user_id, Part.EVENT_TYPES)
    await product.background.settle()

    assert part is not None
    assert part.fetched_at == NOON


@pytest.mark.parametrize("call", ["event_types", "available_times"])
async def test_readers_rest_after_a_failure(
    product: Product, process: Process, warm: Host, call: str
) -> None:
    """However often a stale part is read, a fetch that failed is repeated once a pause."""
    user_id = warm.integration.user_id
    product.clock.advance(CACHE.soft_ttl + A_MOMENT)
    product.calendly.fail_always(call, CalendlyThrottled("slow", retry_after=600))

    for _ in range(10):
        await process.cache.part(user_id, Part.SLOTS, warm.event_type.uri)
        await product.background.settle()
    fetches = product.calendly.calls["event_types"]
    product.clock.advance(timedelta(minutes=11))
    await process.cache.part(user_id, Part.SLOTS, warm.event_type.uri)
    await product.background.settle()

    assert (fetches, product.calendly.calls["event_types"]) == (1, 2)


async def test_a_change_ends_the_rest(product: Product, process: Process, warm: Host) -> None:
    """After a failure a change lets the next reader cause a fetch at once."""
    user_id = warm.integration.user_id
    product.clock.advance(CACHE.soft_ttl + A_MOMENT)
    product.calendly.fail_always("event_types", CalendlyThrottled("slow", retry_after=600))
    await process.cache.part(user_id, Part.EVENT_TYPES)
    await product.background.settle()
    product.calendly.heal()
    async with product.storage() as uow:
        await uow.availability.invalidate([user_id], product.clock.now(), by="invitee.created")
        await uow.commit()

    await process.cache.part(user_id, Part.EVENT_TYPES)
    await product.background.settle()

    renewed = await process.cache.part(user_id, Part.EVENT_TYPES)
    assert renewed is not None
    assert renewed.fetched_at == product.clock.now()


async def test_readers_of_nothing_rest_after_a_failure(
    product: Product, process: Process, ada: Host
) -> None:
    """Without anything cached, too, a failed fetch is not repeated by every reader."""
    product.calendly.fail_always("event_types", CalendlyForbidden("no"))

    for _ in range(5):
        with pytest.raises(CalendlyForbidden):
            await process.cache.part(ada.integration.user_id, Part.EVENT_TYPES)

    assert product.calendly.calls["event_types"] == 1


async def test_a_disconnecting_account_is_not_served(
    product: Product, process: Process, warm: Host
) -> None:
    """Once a user has asked to disconnect, nothing of the account is shown any more."""
    await product.mark_disconnecting(warm.integration.id)

    with pytest.raises(IntegrationNotFound, match="being disconnected"):
        await process.cache.part(warm.integration.user_id, Part.EVENT_TYPES)


async def test_many_readers_of_nothing_fetch_once(product: Product, ada: Host) -> None:
    """However many wait in however many processes for the first fetch, it happens once."""
    processes = [Process(product, f"process-{number}") for number in range(5)]

    parts = await asyncio.gather(
        *(
            each.cache.part(ada.integration.user_id, Part.SLOTS, ada.event_type.uri)
            for each in processes
            for _ in range(10)
        )
    )

    assert len(parts) == 50
    assert all(part is not None and part.fetched_at == NOON for part in parts)
    assert product.calendly.calls["event_types"] == 1
    assert product.calendly.calls["available_times"] == 1


async def test_a_part_that_calendly_lacks_is_none(
    product: Product, process: Process, ada: Host
) -> None:
    """Asking for what does not exist fetches once, not with every question."""
    user_id = ada.integration.user_id

    parts = [await process.cache.part(user_id, Part.SLOTS, "no-such-type") for _ in range(3)]

    assert parts == [None, None, None]
    assert product.calendly.calls["event_types"] == 1


async def test_a_first_fetch_that_fails_says_why(
    product: Product, process: Process, ada: Host
) -> None:
    """Without anything cached the caller learns why nothing could be fetched."""
    product.calendly.fail_next("event_types", CalendlyForbidden("no"))

    with pytest.raises(CalendlyForbidden):
        await process.cache.part(ada.integration.user_id, Part.EVENT_TYPES)


async def test_a_first_fetch_that_takes_long_is_not_waited_for(
    product: Product, process: Process, ada: Host
) -> None:
    """Who waits for somebody else's first fetch is told to come again after a while."""
    hold = product.calendly.hold_next("event_types")
    first = asyncio.create_task(Process(product, "process-2").sync(ada.integration.id))
    await hold.reached.wait()

    with pytest.raises(AvailabilityPending) as refusal:
        await process.cache.part(ada.integration.user_id, Part.EVENT_TYPES)

    assert refusal.value.retry_after == 2
    assert product.calendly.calls["event_types"] == 1
    hold.release()
    await first


async def test_what_is_expired_is_fetched_first(
    product: Product, process: Process, warm: Host
) -> None:
    """A part that is too old is not served while Calendly can be asked."""
    product.clock.advance(CACHE.ttl + A_MOMENT)

    part = await process.cache.part(warm.integration.user_id, Part.EVENT_TYPES)

    assert part is not None
    assert part.fetched_at == product.clock.now()


async def test_what_is_expired_beats_no_answer(
    product: Product, process: Process, warm: Host
) -> None:
    """While Calendly is down the last known is served, however old."""
    product.clock.advance(CACHE.ttl + A_MOMENT)
    product.calendly.fail_always("event_types", CalendlyUnavailable("down"))

    part = await process.cache.part(warm.integration.user_id, Part.EVENT_TYPES)

    assert part is not None
    assert part.fetched_at == NOON


async def test_an_expired_part_that_just_failed_is_served(
    product: Product, process: Process, warm: Host
) -> None:
    """A part that the latest fetch could not renew is served to everybody, as it is."""
    product.clock.advance(CACHE.ttl + A_MOMENT)
    product.calendly.fail_always("available_times", CalendlyUnavailable("down"))
    user_id, key = warm.integration.user_id, warm.event_type.uri

    parts = [await process.cache.part(user_id, Part.SLOTS, key) for _ in range(3)]

    assert [each.fetched_at if each else None for each in parts] == [NOON] * 3
    assert [each.error_code if each else None for each in parts] == ["calendly_unavailable"] * 3
    assert product.calendly.calls["event_types"] == 1


async def test_a_dead_grant_is_said_at_once(product: Product, process: Process, ada: Host) -> None:
    """When nothing is cached and nothing can be fetched, the user is told to connect again."""
    product.calendly.revoke_grants(ada.integration.account.user_uri)
    with pytest.raises(ReauthRequired):
        await process.refresh(ada.integration.id)

    with pytest.raises(ReauthRequired):
        await process.cache.part(ada.integration.user_id, Part.EVENT_TYPES)


async def test_a_dead_grant_leaves_the_last_known(
    product: Product, process: Process, warm: Host
) -> None:
    """What is cached goes on being served after the grant has died."""
    product.calendly.revoke_grants(warm.integration.account.user_uri)
    with pytest.raises(ReauthRequired):
        await process.refresh(warm.integration.id)
    product.clock.advance(CACHE.ttl + A_MOMENT)

    part = await process.cache.part(warm.integration.user_id, Part.EVENT_TYPES)

    assert part is not None
    assert part.fetched_at == NOON


async def test_a_user_without_account_is_not_found(product: Product, process: Process) -> None:
    """A user who connected nothing is shown the way to do so."""
    with pytest.raises(IntegrationNotFound, match="/api/calendly/connect"):
        await process.cache.part(await product.user("bob"), Part.EVENT_TYPES)
