from datetime import timedelta

import pytest

from application.availability.refresh_cache import FETCH_LEASE, SYNCED
from application.ports.storage.breakers import Surface
from application.tokens.calendly_session import Seen
from domain.errors import CalendlyThrottled, ReauthRequired
from tests.application.support.building import Product
from tests.application.support.host_setup import host
from tests.application.support.process import Process
from tests.application.support.statement_counter import CountedStorage


async def test_who_has_just_read_an_integration_spares_its_calls_that(product: Product) -> None:
    """Calls that are made together look at the store no more than one call does."""
    connected = await product.connect()
    store = product.storage = CountedStorage(product.storage)
    process, seen = Process(product, "counted"), Seen(connected)
    await process.session.call(connected.id, product.calendly.me, seen=seen)
    before = store.openings

    for _ in range(8):
        await process.session.call(connected.id, product.calendly.me, seen=seen)

    assert store.openings == before


async def test_calls_that_are_made_together_share_a_new_token(
    product: Product, process: Process
) -> None:
    """Of calls that know one integration the first to be refused gets a token for all."""
    connected = await product.connect()
    seen = Seen(connected)
    product.calendly.expire_access_tokens(connected.account.user_uri)

    for _ in range(3):
        assert (
            await process.session.call(connected.id, product.calendly.me, seen=seen)
            == connected.account
        )

    assert (product.calendly.calls["refresh"], product.calendly.calls["me"]) == (1, 4)


async def test_a_token_that_expires_between_calls_is_refreshed_first(
    product: Product, process: Process
) -> None:
    """Calls that know one integration never send a token whose time is over."""
    connected = await product.connect()
    seen = Seen(connected)
    product.clock.advance(timedelta(hours=2))

    for _ in range(3):
        assert (
            await process.session.call(connected.id, product.calendly.me, seen=seen)
            == connected.account
        )

    assert (product.calendly.calls["refresh"], product.calendly.calls["me"]) == (1, 3)


async def test_a_grant_that_died_ends_all_calls_that_are_made_together(
    product: Product, process: Process
) -> None:
    """After a 401 no call relies on what was seen before: a dead grant is asked with once."""
    connected = await product.connect()
    seen = Seen(connected)
    product.calendly.revoke_grants(connected.account.user_uri)

    for _ in range(3):
        with pytest.raises(ReauthRequired):
            await process.session.call(connected.id, product.calendly.me, seen=seen)

    assert product.calendly.calls["me"] == 1


async def test_a_429_to_one_of_several_calls_pauses_all(
    product: Product, process: Process
) -> None:
    """A 429 to one of several calls lets the others rest as well."""
    connected = await product.connect()
    seen = Seen(connected)
    product.calendly.fail_next("me", CalendlyThrottled("429", retry_after=60))
    process.pauses.ask(connected.account.user_uri, 60)

    for _ in range(3):
        with pytest.raises(CalendlyThrottled):
            await process.session.call(connected.id, product.calendly.me, seen=seen)

    assert product.calendly.calls["me"] == 1


async def test_what_was_seen_shows_no_secret(product: Product) -> None:
    """An integration that is kept for several calls has sealed tokens alone."""
    connected = await product.connect()
    seen = Seen(connected)
    await Process(product, "process-1").session.call(connected.id, product.calendly.me, seen=seen)

    assert vars(seen) == {"integration": connected, "holds": True}


@pytest.mark.parametrize("offered", [1, 12])
async def test_a_sync_looks_at_the_store_before_and_after(product: Product, offered: int) -> None:
    """The calls themselves do not read the store, for any number of entries to fetch."""
    ada = await host(product)
    for _ in range(offered - 1):
        product.calendly.add_event_type(ada.integration.account.user_uri)
    store = product.storage = CountedStorage(product.storage)
    process = Process(product, "counted")
    await process.circuit_breakers.current(Surface.API)
    before = store.openings

    assert await process.sync(ada.integration.id) == SYNCED

    assert product.calendly.calls["available_times"] == offered
    assert store.openings - before == 2


async def test_a_claimed_sync_has_the_tokens_of_its_turn(
    product: Product, process: Process
) -> None:
    """Tokens that were renewed between a claim and its turn cost no refused call."""
    ada = await host(product)
    async with product.storage() as uow:
        now = product.clock.now()
        claimed = await uow.sync_queue.claim_due("page", now, now + FETCH_LEASE, 1)
        await uow.commit()
    await process.refresh.run(ada.integration.id)
    product.calendly.calls.clear()

    assert [await process.sync.refresh_claimed(each.id, "page") for each in claimed] == [SYNCED]
    assert product.calendly.calls["event_types"] == 1
    assert product.calendly.calls["refresh"] == 0
