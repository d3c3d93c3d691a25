from datetime import timedelta

import pytest
from msgspec.structs import replace

from application.ports.storage.refresh_queue import RefreshEnd
from application.tokens.token_encryption import open_access
from domain.circuit_breaker import BreakerState
from domain.errors import (
    CalendlyThrottled,
    CalendlyUnavailable,
    CalendlyUncertain,
    CircuitOpen,
    ClientRefused,
    GrantRefused,
    RefreshInProgress,
    SealedValueUnreadable,
    SlotkeeperError,
)
from domain.integration import REFRESH_OPEN_FOR, Cause, Status, with_error
from domain.token import TOKEN_REQUESTS, TOKEN_WINDOW, Access
from tests.application.support.building import Product
from tests.application.support.leasing import leased
from tests.application.support.process import BREAKER, Process
from tests.fakes.clock import NOON


async def test_an_exchange_stores_the_next_pair(product: Product, process: Process) -> None:
    """A refresh leaves a working pair of the next version, good for two hours from now."""
    connected = await product.connect()
    product.clock.advance(timedelta(hours=1))

    fresh = await process.refresh_under_lease.run(*await leased(product, connected.id))

    stored = await product.stored(connected.id)
    assert stored == fresh
    assert stored.tokens is not None
    assert stored.tokens.version == 2
    assert stored.tokens.expires_at == product.clock.now() + timedelta(hours=2)
    assert stored.last_refreshed_at == product.clock.now()
    assert stored.exchange_started_at is None
    access = open_access(product.vault, stored)
    assert await product.calendly.me(access) == connected.account
    assert product.telemetry.seen == {("token_refresh", "refreshed"): 1}


async def test_an_exchange_gives_the_lease_back(product: Product, process: Process) -> None:
    """The next refresh may start immediately, also after a failure."""
    connected = await product.connect()
    await process.refresh_under_lease.run(*await leased(product, connected.id))
    product.calendly.fail_next("refresh", CalendlyUnavailable("down"))

    with pytest.raises(CalendlyUnavailable):
        await process.refresh_under_lease.run(*await leased(product, connected.id))

    await leased(product, connected.id)


async def test_newly_granted_scopes_are_kept(product: Product, process: Process) -> None:
    """Scopes and organization that come with the new pair replace the stored ones."""
    connected = await product.connect()
    product.calendly.grants[0].scopes = ("users:read", "webhooks:write")

    fresh = await process.refresh_under_lease.run(*await leased(product, connected.id))

    assert fresh.scopes == ("users:read", "webhooks:write")


async def test_a_new_organization_is_taken_over(product: Product, process: Process) -> None:
    """A user who moved to another organization is known to be there with the next pair."""
    connected = await product.connect()
    elsewhere = "https://api.calendly.com/organizations/ELSEWHERE"
    product.calendly.accounts[connected.account.user_uri] = replace(
        connected.account, organization_uri=elsewhere
    )

    fresh = await process.refresh_under_lease.run(*await leased(product, connected.id))

    assert fresh.account == replace(connected.account, organization_uri=elsewhere)
    assert await product.stored(connected.id) == fresh


async def test_a_revoked_grant_needs_a_person(product: Product, process: Process) -> None:
    """When Calendly refuses the token, the cause is stored and the tokens stay sealed."""
    connected = await product.connect()
    product.calendly.revoke_grants(connected.account.user_uri)

    with pytest.raises(GrantRefused):
        await process.refresh_under_lease.run(*await leased(product, connected.id))

    stored = await product.stored(connected.id)
    assert stored.status is Status.REAUTH_REQUIRED
    assert stored.tokens == connected.tokens
    assert stored.attention is not None
    assert stored.attention.cause is Cause.GRANT_REFUSED
    assert stored.attention.since == NOON
    assert product.telemetry.seen == {
        ("reauth_required", Cause.GRANT_REFUSED): 1,
        ("token_refresh", "grant_refused"): 1,
    }


async def test_an_uncertain_token_is_not_sent_again_at_once(
    product: Product, process: Process
) -> None:
    """While a lost request may still be under way no process sends the same token again."""
    connected = await product.connect()
    product.calendly.fail_next("refresh", CalendlyUncertain("lost"))
    with pytest.raises(CalendlyUncertain):
        await process.refresh_under_lease.run(*await leased(product, connected.id))
    product.clock.advance(REFRESH_OPEN_FOR - timedelta(seconds=1))

    with pytest.raises(RefreshInProgress):
        await process.refresh.run(connected.id)

    assert product.calendly.calls["refresh"] == 1


async def test_a_users_token_requests_are_counted_for_all_processes(
    product: Product, process: Process
) -> None:
    """Calendly accepts eight token requests a minute; the ninth is postponed, not sent."""
    connected = await product.connect()
    other = Process(product, "process-2")
    for number in range(TOKEN_REQUESTS):
        await (process, other)[number % 2].refresh_under_lease.run(
            *await leased(product, connected.id)
        )

    with pytest.raises(CalendlyThrottled) as refusal:
        await process.refresh_under_lease.run(*await leased(product, connected.id))
    product.clock.advance(TOKEN_WINDOW)
    fresh = await process.refresh_under_lease.run(*await leased(product, connected.id))

    assert refusal.value.retry_after == TOKEN_WINDOW.total_seconds()
    assert fresh.tokens is not None
    assert fresh.tokens.version == TOKEN_REQUESTS + 2
    assert fresh.exchange_started_at is None


async def test_a_lost_answer_is_remembered(product: Product, process: Process) -> None:
    """After a lost answer the account stays active with the mark that its token may be spent."""
    connected = await product.connect()
    product.calendly.fail_next("refresh", CalendlyUncertain("lost"), processed=True)

    with pytest.raises(CalendlyUncertain):
        await process.refresh_under_lease.run(*await leased(product, connected.id))

    stored = await product.stored(connected.id)
    assert stored.status is Status.ACTIVE
    assert stored.tokens == connected.tokens
    assert stored.exchange_started_at == NOON
    assert stored.last_error_code == "calendly_uncertain"


async def test_an_uncertain_outcome_resolves_to_lost(product: Product, process: Process) -> None:
    """When the token was spent by the lost answer, the next attempt says exactly that."""
    connected = await product.connect()
    product.calendly.fail_next("refresh", CalendlyUncertain("lost"), processed=True)
    with pytest.raises(CalendlyUncertain):
        await process.refresh_under_lease.run(*await leased(product, connected.id))
    product.clock.advance(REFRESH_OPEN_FOR)

    with pytest.raises(GrantRefused):
        await process.refresh_under_lease.run(*await leased(product, connected.id))

    stored = await product.stored(connected.id)
    assert stored.attention is not None
    assert stored.attention.cause is Cause.REFRESH_OUTCOME_LOST


async def test_an_uncertain_outcome_resolves_to_active(product: Product, process: Process) -> None:
    """When the lost request never arrived, the next attempt succeeds and the mark is gone."""
    connected = await product.connect()
    product.calendly.fail_next("refresh", CalendlyUncertain("lost"))
    with pytest.raises(CalendlyUncertain):
        await process.refresh_under_lease.run(*await leased(product, connected.id))
    product.clock.advance(REFRESH_OPEN_FOR)

    fresh = await process.refresh_under_lease.run(*await leased(product, connected.id))

    assert fresh.status is Status.ACTIVE
    assert fresh.exchange_started_at is None
    assert fresh.last_error_code is None


@pytest.mark.parametrize(
    "error",
    [
        CalendlyUnavailable("down"),
        CalendlyThrottled("slow down", retry_after=90),
        ClientRefused("wrong client"),
    ],
    ids=lambda error: str(error.code),
)
async def test_a_transient_failure_keeps_the_status(
    product: Product, process: Process, error: SlotkeeperError
) -> None:
    """A request that Calendly did not process changes neither tokens nor status."""
    connected = await product.connect()
    product.calendly.fail_next("refresh", error)

    with pytest.raises(type(error)):
        await process.refresh_under_lease.run(*await leased(product, connected.id))

    stored = await product.stored(connected.id)
    assert stored.status is Status.ACTIVE
    assert stored.tokens == connected.tokens
    assert stored.exchange_started_at is None
    assert stored.last_error_code == error.code
    product.clock.advance(REFRESH_OPEN_FOR)
    fresh = await process.refresh_under_lease.run(*await leased(product, connected.id))
    assert fresh.status is Status.ACTIVE


async def test_an_open_shared_circuit_keeps_the_status(product: Product, process: Process) -> None:
    """While Calendly's OAuth host is known to be down nothing is sent and nothing is lost."""
    others = [await product.connect(f"user-{number}") for number in range(BREAKER.threshold)]
    connected = await product.connect()
    product.calendly.fail_next("refresh", CalendlyUnavailable("down"), times=len(others))
    for other in others:
        with pytest.raises(CalendlyUnavailable):
            await process.refresh_under_lease.run(*await leased(product, other.id))

    with pytest.raises(CircuitOpen):
        await process.refresh_under_lease.run(*await leased(product, connected.id))

    stored = await product.stored(connected.id)
    assert product.calendly.calls["refresh"] == len(others)
    assert (stored.status, stored.tokens) == (Status.ACTIVE, connected.tokens)
    assert stored.exchange_started_at is None
    assert stored.breaker.failures == 0


async def test_an_older_doubt_survives_a_passing_failure(
    product: Product, process: Process
) -> None:
    """An outage after a lost answer does not make the lost answer forgotten."""
    connected = await product.connect()
    product.calendly.fail_next("refresh", CalendlyUncertain("lost"), processed=True)
    product.calendly.fail_next("refresh", CalendlyUnavailable("down"))
    for error in (CalendlyUncertain, CalendlyUnavailable, GrantRefused):
        product.clock.advance(REFRESH_OPEN_FOR)
        with pytest.raises(error):
            await process.refresh_under_lease.run(*await leased(product, connected.id))

    stored = await product.stored(connected.id)

    assert stored.attention is not None
    assert stored.attention.cause is Cause.REFRESH_OUTCOME_LOST


async def test_an_unreadable_seal_keeps_the_tokens(product: Product, process: Process) -> None:
    """An operator who puts a lost key back gets the grant back."""
    connected = await product.connect()
    product.vault.rotate()
    product.vault.lose("key-1")

    with pytest.raises(SealedValueUnreadable):
        await process.refresh_under_lease.run(*await leased(product, connected.id))

    stored = await product.stored(connected.id)
    assert product.calendly.calls["refresh"] == 0
    assert (stored.status, stored.tokens) == (Status.ACTIVE, connected.tokens)
    assert stored.last_error_code == "encryption_key_unknown"
    product.vault.regain("key-1")
    fresh = await process.refresh_under_lease.run(*await leased(product, connected.id))
    assert fresh.last_error_code is None


async def test_an_unreadable_seal_is_not_tried_every_minute(
    product: Product, process: Process
) -> None:
    """The job leaves an account whose key is missing alone for an hour."""
    connected = await product.connect()
    product.vault.rotate()
    product.vault.lose("key-1")

    with pytest.raises(SealedValueUnreadable):
        await process.refresh_under_lease.run(*await leased(product, connected.id))

    row = product.storage.state.integrations[connected.id]
    assert row.next_refresh_at == NOON + timedelta(hours=1)


async def test_another_owner_needs_a_person(product: Product, process: Process) -> None:
    """A pair that belongs to another Calendly user is never stored for this one."""
    connected = await product.connect()
    other = product.calendly.add_user()
    product.calendly.grants[0].user_uri = other.user_uri

    with pytest.raises(GrantRefused):
        await process.refresh_under_lease.run(*await leased(product, connected.id))

    stored = await product.stored(connected.id)
    assert stored.status is Status.REAUTH_REQUIRED
    assert stored.tokens is None
    assert stored.attention is not None
    assert stored.attention.cause is Cause.OWNER_CHANGED
    assert product.telemetry.seen["reauth_required", Cause.OWNER_CHANGED] == 1
    assert product.telemetry.seen["token_refresh", "refreshed"] == 0


async def test_repeated_failures_open_the_own_circuit(product: Product, process: Process) -> None:
    """An account whose refresh keeps failing is skipped for some time, and shown with its error."""
    connected = await product.connect()
    for _ in range(BREAKER.threshold):
        product.calendly.fail_next("refresh", CalendlyUnavailable("down"))
        with pytest.raises(CalendlyUnavailable):
            await process.refresh_under_lease.run(*await leased(product, connected.id))

    with pytest.raises(CircuitOpen) as refusal:
        await process.refresh_under_lease.run(*await leased(product, connected.id))

    assert refusal.value.retry_after is not None
    assert refusal.value.retry_after >= BREAKER.reset.total_seconds()
    assert product.calendly.calls["refresh"] == BREAKER.threshold
    assert (await product.stored(connected.id)).breaker.state is BreakerState.OPEN
    await leased(product, connected.id)


async def test_the_own_circuit_closes_after_a_good_probe(
    product: Product, process: Process
) -> None:
    """After the reset time one refresh goes out, and its success makes all well again."""
    connected = await product.connect()
    product.calendly.fail_next("refresh", CalendlyUnavailable("down"), times=BREAKER.threshold)
    for _ in range(BREAKER.threshold):
        with pytest.raises(CalendlyUnavailable):
            await process.refresh_under_lease.run(*await leased(product, connected.id))
    product.clock.advance(2 * BREAKER.reset)

    fresh = await process.refresh_under_lease.run(*await leased(product, connected.id))

    assert fresh.breaker.state is BreakerState.CLOSED
    assert fresh.breaker.failures == 0


async def test_the_wait_asked_for_is_honoured(product: Product, process: Process) -> None:
    """The job does not come back before the time that Calendly asked for."""
    connected = await product.connect()
    product.calendly.fail_next("refresh", CalendlyThrottled("slow down", retry_after=600))

    with pytest.raises(CalendlyThrottled):
        await process.refresh_under_lease.run(*await leased(product, connected.id))

    row = product.storage.state.integrations[connected.id]
    assert row.next_refresh_at == NOON + timedelta(minutes=10)


async def test_a_call_that_opens_the_token_again_ends_the_quarantine(
    product: Product, process: Process
) -> None:
    """When a missing key is back, the next call clears the error that names it."""
    connected = await product.connect()
    integration, lease = await leased(product, connected.id)
    changed = with_error(integration, "encryption_key_unknown", NOON)
    async with product.storage() as uow:
        await uow.refresh_queue.finish([RefreshEnd(changed, lease, 1, NOON + timedelta(hours=1))])
        await uow.commit()

    async def work(access: Access) -> str:
        return access.user_uri

    await process.session.call(connected.id, work)

    stored = await product.stored(connected.id)
    assert (stored.last_error_code, stored.error_since) == (None, None)
