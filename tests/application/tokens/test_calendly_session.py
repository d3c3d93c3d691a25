import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from application.ports.storage.breakers import Surface
from domain.errors import (
    AccessTokenRejected,
    CalendlyForbidden,
    CalendlyRejected,
    CalendlyThrottled,
    CalendlyUnavailable,
    CalendlyUncertain,
    IntegrationNotFound,
    ReauthRequired,
    ScopeMissing,
    SlotkeeperError,
)
from domain.ids import IntegrationId
from domain.integration import Account, Integration, Status
from domain.token import Access
from tests.application.support.building import Product
from tests.application.support.process import Process

Work = Callable[[Access], Awaitable[Account]]


@pytest.fixture
def work(product: Product) -> Work:
    """A call that needs a live token."""
    return product.calendly.me


async def test_a_call_carries_the_users_token(
    product: Product, process: Process, work: Work
) -> None:
    """A call is made with the token of its integration and needs no refresh."""
    connected = await product.connect("ada")
    await product.connect("bob")

    assert await process.session.call(connected.id, work) == connected.account
    assert product.calendly.calls["refresh"] == 0


async def test_a_dead_token_is_refreshed_first(
    product: Product, process: Process, work: Work
) -> None:
    """A token that is known to be dead is never sent."""
    connected = await product.connect()
    product.clock.advance(timedelta(hours=2))

    account = await process.session.call(connected.id, work)

    assert account == connected.account
    assert (product.calendly.calls["refresh"], product.calendly.calls["me"]) == (1, 1)


async def test_a_401_refreshes_once_and_repeats_once(
    product: Product, process: Process, work: Work
) -> None:
    """A token that died early costs the caller only a moment."""
    connected = await product.connect()
    product.calendly.expire_access_tokens(connected.account.user_uri)

    account = await process.session.call(connected.id, work)

    assert account == connected.account
    assert (product.calendly.calls["refresh"], product.calendly.calls["me"]) == (1, 2)


async def test_a_second_401_surfaces(product: Product, process: Process, work: Work) -> None:
    """A token that is refused although it is new is not refreshed again and again."""
    connected = await product.connect()
    product.calendly.fail_always("me", AccessTokenRejected("no"))

    with pytest.raises(AccessTokenRejected):
        await process.session.call(connected.id, work)

    assert (product.calendly.calls["refresh"], product.calendly.calls["me"]) == (1, 2)


@pytest.mark.parametrize(
    "error",
    [CalendlyForbidden("no"), ScopeMissing("no"), CalendlyRejected("no"), CalendlyUncertain("?")],
    ids=lambda error: str(error.code),
)
async def test_nothing_else_refreshes_or_repeats(
    product: Product, process: Process, work: Work, error: SlotkeeperError
) -> None:
    """A 403 never refreshes, and what may have been processed is never sent twice."""
    connected = await product.connect()
    product.calendly.fail_next("me", error)

    with pytest.raises(type(error)):
        await process.session.call(connected.id, work)

    assert (product.calendly.calls["refresh"], product.calendly.calls["me"]) == (0, 1)


@pytest.mark.parametrize(
    "error", [CalendlyUnavailable("down"), CalendlyThrottled("slow down", retry_after=2)]
)
async def test_what_was_not_processed_is_repeated(
    product: Product, process: Process, work: Work, error: SlotkeeperError
) -> None:
    """A passing failure that processed nothing is sat out."""
    connected = await product.connect()
    product.calendly.fail_next("me", error, times=2)

    account = await process.session.call(connected.id, work)

    assert account == connected.account
    assert product.calendly.calls["me"] == 3


async def test_repeating_ends(product: Product, process: Process, work: Work) -> None:
    """A Calendly that stays down is asked three times, then its error surfaces."""
    connected = await product.connect()
    product.calendly.fail_always("me", CalendlyUnavailable("down"))

    with pytest.raises(CalendlyUnavailable):
        await process.session.call(connected.id, work)

    assert product.calendly.calls["me"] == 3


async def test_repeats_count_once_against_calendly(
    product: Product, process: Process, work: Work
) -> None:
    """A call that fails is one failure to the shared breaker, for any number of repetitions."""
    connected = await product.connect()
    product.calendly.fail_always("me", CalendlyUnavailable("down"))

    with pytest.raises(CalendlyUnavailable):
        await process.session.call(connected.id, work)

    assert (await process.circuit_breakers.current(Surface.API)).failures == 1


async def test_a_long_wait_is_handed_on(product: Product, process: Process, work: Work) -> None:
    """A wait that is too long for a request is returned to the caller instead of awaited."""
    connected = await product.connect()
    product.calendly.fail_next("me", CalendlyThrottled("slow down", retry_after=45))

    with pytest.raises(CalendlyThrottled) as refusal:
        await process.session.call(connected.id, work)

    assert refusal.value.retry_after == 45
    assert product.calendly.calls["me"] == 1


async def test_a_dead_grant_is_an_error_of_every_later_call(
    product: Product, process: Process, work: Work
) -> None:
    """Once Calendly refused the grant, every call says what the user has to do."""
    connected = await product.connect()
    product.calendly.revoke_grants(connected.account.user_uri)
    with pytest.raises(SlotkeeperError):
        await process.session.call(connected.id, work)

    with pytest.raises(ReauthRequired, match="/api/calendly/connect"):
        await process.session.call(connected.id, work)

    assert (await product.stored(connected.id)).status is Status.REAUTH_REQUIRED
    assert product.calendly.calls["me"] == 1


async def test_a_refresh_by_another_process_is_enough(
    product: Product, process: Process, work: Work
) -> None:
    """A 401 for a version that another process has replaced spends no further token."""
    connected = await product.connect()

    async def refused_at_first(access: Access) -> Account:
        if product.calendly.calls["refresh"] == 0:
            await Process(product, "process-2").refresh.run(connected.id)
            raise AccessTokenRejected("replaced")
        return await work(access)

    account = await process.session.call(connected.id, refused_at_first)

    assert account == connected.account
    assert product.calendly.calls["refresh"] == 1


async def test_a_call_for_an_unknown_integration_is_not_found(
    product: Product, process: Process, work: Work
) -> None:
    """A call for an integration that does not exist, or is being disconnected, sends nothing."""
    leaving = await product.connect()
    await product.mark_disconnecting(leaving.id)

    for integration_id in (leaving.id, IntegrationId(product.randomness.new_id())):
        with pytest.raises(IntegrationNotFound):
            await process.session.call(integration_id, work)

    assert product.calendly.calls["me"] == 0


async def refused_with_429(
    product: Product, process: Process, work: Work, owner: Integration, seconds: float
) -> None:
    """Let Calendly answer a user's call with 429."""
    product.calendly.fail_next("me", CalendlyThrottled("429", retry_after=seconds))
    process.pauses.ask(owner.account.user_uri, seconds)
    with pytest.raises(CalendlyThrottled):
        await process.session.call(owner.id, work)


async def test_a_429_pauses_that_user_in_every_process(
    product: Product, process: Process, work: Work
) -> None:
    """A user's wait that Calendly asked for holds in every process, without a request."""
    ada, bob = await product.connect("ada"), await product.connect("bob")
    await refused_with_429(product, process, work, ada, 60)
    other = Process(product, "process-2")
    product.clock.advance(timedelta(seconds=20))

    with pytest.raises(CalendlyThrottled) as refusal:
        await other.session.call(ada.id, work)

    assert refusal.value.retry_after == 40
    assert product.calendly.calls["me"] == 1
    assert await other.session.call(bob.id, work) == bob.account
    assert (await product.stored(bob.id)).calls_paused_until is None


async def test_a_pause_ends_by_itself(product: Product, process: Process, work: Work) -> None:
    """When the time that Calendly asked for is over, calls go out again."""
    connected = await product.connect()
    await refused_with_429(product, process, work, connected, 60)

    product.clock.advance(timedelta(seconds=60))

    assert await process.session.call(connected.id, work) == connected.account


async def test_a_short_pause_is_waited_out(product: Product, process: Process, work: Work) -> None:
    """A rest that ends within a request's longest wait costs its caller only that."""
    connected = await product.connect()
    await refused_with_429(product, process, work, connected, 60)
    product.clock.advance(timedelta(seconds=57))
    began = asyncio.get_running_loop().time()

    account = await process.session.call(connected.id, work)

    assert account == connected.account
    assert asyncio.get_running_loop().time() - began >= 3


async def test_our_own_limit_pauses_no_other_process(
    product: Product, process: Process, work: Work
) -> None:
    """A call that was held back here says nothing about what Calendly wants."""
    connected = await product.connect()
    product.calendly.fail_next("me", CalendlyThrottled("held back", retry_after=60))

    with pytest.raises(CalendlyThrottled):
        await process.session.call(connected.id, work)

    assert (await product.stored(connected.id)).calls_paused_until is None


async def test_a_pause_that_cannot_be_stored_changes_no_outcome(
    product: Product, process: Process
) -> None:
    """While the store is down the caller still learns how long to wait."""
    connected = await product.connect()
    process.pauses.ask(connected.account.user_uri, 60)

    async def throttled(_: Access) -> Account:
        product.storage.fail_next()
        raise CalendlyThrottled("429", retry_after=60)

    with pytest.raises(CalendlyThrottled) as refusal:
        await process.session.call(connected.id, throttled)

    assert refusal.value.retry_after == 60
