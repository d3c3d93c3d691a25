from datetime import timedelta

import pytest

from application.integrations.view_integration import CONNECT_PATH, REMEDIES, ViewIntegration
from domain.circuit_breaker import BreakerState
from domain.errors import (
    CalendlyUnavailable,
    IntegrationNotFound,
    ReauthRequired,
    SealedValueUnreadable,
)
from domain.integration import Cause, Gap, Recovery, Status
from tests.application.support.building import Product
from tests.application.support.calling import OPEN_FOR
from tests.application.support.connecting import Flow
from tests.application.support.process import BREAKER, Process
from tests.fakes.clock import NOON


@pytest.fixture
def view(product: Product) -> ViewIntegration:
    """The use case."""
    return ViewIntegration(
        storage=product.storage,
        clock=product.clock,
        breaker_policy=BREAKER,
        public_url="https://slots.example/",
    )


async def test_a_healthy_integration_needs_nothing(
    product: Product, process: Process, view: ViewIntegration
) -> None:
    """A connected user sees the account, its subscription and that all is well."""
    connected = await product.connect()
    await process.ensure(connected.id)

    shown = await view(connected.user_id)

    assert (shown.id, shown.status, shown.account) == (
        connected.id,
        Status.ACTIVE,
        connected.account,
    )
    assert shown.token_expires_at == connected.tokens.expires_at if connected.tokens else None
    assert (shown.missing_scopes, shown.action_required) == ((), None)
    assert (shown.webhook_state, shown.breaker.state) == ("active", BreakerState.CLOSED)


async def test_no_token_is_shown(product: Product, view: ViewIntegration) -> None:
    """Neither a token nor its sealed form is part of what a user sees."""
    connected = await product.connect()

    shown = repr(await view(connected.user_id))

    assert connected.tokens is not None
    assert connected.tokens.access not in shown
    assert connected.tokens.refresh not in shown


async def test_a_user_without_account_is_not_found(
    product: Product, view: ViewIntegration
) -> None:
    """A user who connected nothing is shown the way to do so."""
    await product.connect("ada")

    with pytest.raises(IntegrationNotFound, match=CONNECT_PATH):
        await view(await product.user("bob"))


async def test_a_dead_grant_says_what_to_do(
    product: Product, process: Process, view: ViewIntegration
) -> None:
    """When a person is needed the view says why, since when, and where to go."""
    connected = await product.connect()
    product.calendly.revoke_grants(connected.account.user_uri)
    with pytest.raises(ReauthRequired):
        await process.refresh.run(connected.id)

    shown = await view(connected.user_id)

    assert shown.status is Status.REAUTH_REQUIRED
    assert shown.token_expires_at is None
    assert shown.webhook_state is None
    assert shown.action_required is not None
    assert shown.action_required.code == Cause.GRANT_REFUSED
    assert shown.action_required.since == NOON
    assert shown.action_required.connect_path == CONNECT_PATH
    assert shown.action_required.connect_url == "https://slots.example/api/calendly/connect"


async def test_a_recovered_account_shows_its_recovery(
    product: Product, process: Process, view: ViewIntegration
) -> None:
    """Once connected again the view asks for no action, and shows the recovery with its time."""
    connected = await product.connect()
    before = await view(connected.user_id)
    product.calendly.revoke_grants(connected.account.user_uri)
    with pytest.raises(ReauthRequired):
        await process.refresh.run(connected.id)
    flow = await Flow(product, process, connected.account).begin(connected.user_id)
    await flow.complete()

    shown = await view(connected.user_id)

    assert (shown.status, shown.action_required) == (Status.ACTIVE, None)
    assert (before.recovered, shown.recovered) == (None, Recovery(Cause.GRANT_REFUSED, NOON))


async def test_a_shared_account_is_shown(
    product: Product, process: Process, view: ViewIntegration
) -> None:
    """Two users of one Calendly account see that until one of them disconnects."""
    ada = await product.connect("ada")
    alone = await view(ada.user_id)
    bob = await product.user("bob")
    outcome = await (await Flow(product, process, ada.account).begin(bob)).complete()
    assert outcome.integration_id is not None

    both = [await view(user_id) for user_id in (ada.user_id, bob)]
    await product.mark_disconnecting(outcome.integration_id)
    left = await view(ada.user_id)

    assert [each.shared_account for each in both] == [True, True]
    assert (alone.shared_account, left.shared_account) == (False, False)


def test_every_cause_has_a_remedy() -> None:
    """No cause for which a person is needed is without its remedy."""
    assert set(REMEDIES) == set(Cause)


async def test_a_lost_key_is_the_operators_task(
    product: Product, process: Process, view: ViewIntegration
) -> None:
    """When a key is missing the user is not sent to connect again."""
    connected = await product.connect()
    product.vault.lose("key-1")
    with pytest.raises(SealedValueUnreadable):
        await process.refresh.run(connected.id)

    shown = await view(connected.user_id)

    assert shown.action_required is not None
    assert "TOKEN_ENCRYPTION_KEYS" in shown.action_required.remedy
    assert shown.action_required.connect_path is None


async def test_an_open_breaker_says_until_when(
    product: Product, process: Process, view: ViewIntegration
) -> None:
    """While refreshes are held back the view says when the next one goes out."""
    connected = await product.connect()
    product.calendly.fail_always("refresh", CalendlyUnavailable("down"))
    for _ in range(BREAKER.threshold):
        with pytest.raises(CalendlyUnavailable):
            await process.refresh.run(connected.id)

    shown = await view(connected.user_id)
    product.clock.advance(OPEN_FOR)
    later = await view(connected.user_id)

    assert (shown.breaker.state, shown.breaker.failures) == (BreakerState.OPEN, BREAKER.threshold)
    assert (shown.breaker.opened_at, shown.breaker.retry_at) == (NOON, NOON + OPEN_FOR)
    assert shown.last_error_code == "calendly_unavailable"
    assert (later.breaker.state, later.breaker.retry_at) == (BreakerState.HALF_OPEN, None)


async def test_lost_webhooks_are_shown(product: Product, view: ViewIntegration) -> None:
    """The view shows since when webhooks are missing, how many bookings that cost, and when."""
    ada = await product.connect()
    now = product.clock.now()
    async with product.storage() as uow:
        await uow.integrations.put_gap(ada.id, Gap(since=now - timedelta(hours=1), until=now))
        await uow.integrations.add_repairs(ada.id, 3, now)
        await uow.commit()

    shown = await view(ada.user_id)

    assert shown.webhooks_missing_since == now - timedelta(hours=1)
    assert (shown.repaired_count, shown.last_repaired_at) == (3, now)
