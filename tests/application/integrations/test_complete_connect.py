import asyncio
from datetime import timedelta

import pytest

from application.integrations.view_integration import ViewIntegration
from application.ports.storage.breakers import Surface
from application.tokens.token_encryption import open_access
from domain.errors import (
    CalendlyProtocolError,
    CalendlyRejected,
    CalendlyUnavailable,
    CalendlyUncertain,
    ConsentDenied,
    InvalidInput,
    ScopesDeclined,
    SlotkeeperError,
    StorageUnavailable,
)
from domain.ids import UserId
from domain.integration import Account, Status
from domain.secret import Secret
from domain.token import REQUESTED_SCOPES, REQUIRED_SCOPES
from tests.application.support.building import Product
from tests.application.support.connecting import Flow
from tests.application.support.process import BREAKER, Process


@pytest.fixture
async def user_id(product: Product) -> UserId:
    """A user of the team's."""
    return await product.user()


@pytest.fixture
def account(product: Product) -> Account:
    """The user's Calendly account."""
    return product.calendly.add_user()


@pytest.fixture
async def flow(product: Product, process: Process, user_id: UserId, account: Account) -> Flow:
    """A flow that has begun."""
    return await Flow(product, process, account).begin(user_id, return_to="/settings")


def live_grants(product: Product) -> int:
    """Return how many grants are alive at Calendly."""
    return sum(not grant.revoked for grant in product.calendly.grants)


async def test_consent_connects_the_account(
    flow: Flow, product: Product, user_id: UserId, account: Account
) -> None:
    """After consent the user has an active integration that works, and onboarding runs."""
    outcome = await flow.complete()

    assert outcome.integration_id is not None
    assert (outcome.error, outcome.return_to, outcome.recovered) == (None, "/settings", False)
    stored = await product.stored(outcome.integration_id)
    assert (stored.user_id, stored.account, stored.status) == (user_id, account, Status.ACTIVE)
    assert set(stored.scopes) == set(REQUESTED_SCOPES)
    assert await product.calendly.me(open_access(product.vault, stored)) == account
    assert product.jobs.started == [f"integration/{stored.id}/onboard"]
    assert product.telemetry.seen == {
        ("integration_connected", False): 1,
        ("connect_confirmation", "confirmed"): 1,
    }


async def test_tokens_are_stored_sealed_only(flow: Flow, product: Product) -> None:
    """Neither token can be read from what is stored."""
    outcome = await flow.complete()

    assert outcome.integration_id is not None
    written = repr(await product.stored(outcome.integration_id))
    assert "fake-access" not in written
    assert "fake-refresh" not in written


async def test_a_denial_is_reported(flow: Flow, product: Product) -> None:
    """A user who refuses is sent back with that, and nothing is connected."""
    outcome = await flow.complete(code=flow.consent(), error="access_denied")

    assert isinstance(outcome.error, ConsentDenied)
    assert (outcome.integration_id, outcome.return_to) == (None, "/settings")
    assert product.storage.state.integrations == {}
    assert product.calendly.calls["exchange_code"] == 0


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("server_error", CalendlyUnavailable),
        ("temporarily_unavailable", CalendlyUnavailable),
        ("invalid_scope", CalendlyRejected),
        ("unauthorized_client", CalendlyRejected),
        ("<script>", CalendlyRejected),
    ],
)
async def test_only_a_denial_is_reported_as_one(
    flow: Flow, product: Product, code: str, error: type[SlotkeeperError]
) -> None:
    """An error at the consent page is not reported as a refusal, and its code is not repeated."""
    outcome = await flow.complete(error=code)

    assert type(outcome.error) is error
    assert code not in outcome.error.message
    assert product.calendly.calls["exchange_code"] == 0


async def test_missing_scopes_of_the_app_are_named(flow: Flow) -> None:
    """An app that may not ask for the scopes is distinguished from one with another fault."""
    scope = (await flow.complete(error="invalid_scope")).error

    assert scope is not None
    assert "scopes" in scope.message


async def test_a_callback_without_code_is_refused(flow: Flow) -> None:
    """A callback that carries neither a code nor an error is bad input."""
    outcome = await flow.complete(code=Secret(""))

    assert isinstance(outcome.error, InvalidInput)


async def test_an_optional_scope_may_be_declined(
    flow: Flow, product: Product, user_id: UserId
) -> None:
    """A user who declines scheduling links is still connected, and no action is required."""
    outcome = await flow.complete(flow.consent(REQUIRED_SCOPES))

    view = await ViewIntegration(
        storage=product.storage,
        clock=product.clock,
        breaker_policy=BREAKER,
        public_url="https://x",
    )(user_id)
    assert outcome.error is None
    assert (view.scopes, view.missing_scopes) == (tuple(sorted(REQUIRED_SCOPES)), ())
    assert view.action_required is None


async def test_declined_scopes_give_the_grant_back(flow: Flow, product: Product) -> None:
    """A grant that is too small to work with is revoked, and what was missing is named."""
    outcome = await flow.complete(flow.consent(("users:read", "webhooks:write")))

    assert isinstance(outcome.error, ScopesDeclined)
    assert outcome.error.missing == (
        "organizations:read",
        "event_types:read",
        "availability:read",
        "scheduled_events:write",
    )
    assert live_grants(product) == 0
    assert product.storage.state.integrations == {}
    assert product.jobs.started == []


async def test_a_grant_is_discarded_even_if_calendly_is_down(flow: Flow, product: Product) -> None:
    """When Calendly cannot be reached, the user still learns the real reason."""
    product.calendly.fail_always("revoke", CalendlyUnavailable("down"))

    outcome = await flow.complete(flow.consent(("users:read",)))

    assert isinstance(outcome.error, ScopesDeclined)
    assert product.calendly.calls["revoke"] == 2


async def test_without_the_engine_the_account_is_connected(flow: Flow, product: Product) -> None:
    """When Temporal is down the account is still connected."""
    product.jobs.down = True

    outcome = await flow.complete()

    assert outcome.error is None
    assert outcome.integration_id is not None
    assert (await product.stored(outcome.integration_id)).status is Status.ACTIVE


@pytest.mark.parametrize("error", [CalendlyUnavailable("down"), CalendlyUncertain("lost")])
async def test_an_outage_is_reported(flow: Flow, product: Product, error: SlotkeeperError) -> None:
    """When the code cannot be exchanged the user is sent back with the reason."""
    product.calendly.fail_next("exchange_code", error)

    outcome = await flow.complete()

    assert outcome.error is error
    assert outcome.return_to == "/settings"
    assert product.storage.state.integrations == {}


async def test_an_outage_after_the_exchange_gives_the_grant_back(
    flow: Flow, product: Product
) -> None:
    """A grant whose account cannot be read is not kept half-made."""
    product.calendly.fail_next("me", CalendlyUnavailable("down"))

    outcome = await flow.complete()

    assert isinstance(outcome.error, CalendlyUnavailable)
    assert live_grants(product) == 0


async def test_a_grant_is_revoked_while_the_store_is_down(flow: Flow, product: Product) -> None:
    """A grant that could not be stored is revoked instead of left behind."""
    hold = product.calendly.hold_next("me")
    task = asyncio.create_task(flow.complete())
    await hold.reached.wait()
    product.storage.fail_next_commit()
    hold.release()

    outcome = await task

    assert isinstance(outcome.error, StorageUnavailable)
    assert live_grants(product) == 0


async def test_a_commit_whose_answer_was_lost_counts(flow: Flow, product: Product) -> None:
    """A grant that was stored although the store fell silent is kept: the user is connected."""
    hold = product.calendly.hold_next("me")
    task = asyncio.create_task(flow.complete())
    await hold.reached.wait()
    product.storage.fail_next_commit(stored=True)
    hold.release()

    outcome = await task

    assert outcome.error is None
    assert outcome.integration_id is not None
    stored = await product.stored(outcome.integration_id)
    assert await product.calendly.me(open_access(product.vault, stored)) == stored.account
    assert product.jobs.started == [f"integration/{stored.id}/onboard"]


@pytest.mark.parametrize("stored", [True, False])
async def test_what_may_be_stored_is_not_given_back(
    flow: Flow, product: Product, *, stored: bool
) -> None:
    """While it cannot be found out whether the grant was stored, it is not revoked."""
    hold = product.calendly.hold_next("me")
    task = asyncio.create_task(flow.complete())
    await hold.reached.wait()
    product.storage.fail_next_commit(stored=stored)
    product.storage.fail_next(None, StorageUnavailable("away"))
    hold.release()

    outcome = await task

    assert isinstance(outcome.error, StorageUnavailable)
    assert live_grants(product) == 1


async def test_an_odd_profile_stops_no_other_user(product: Product, process: Process) -> None:
    """Five connects of one person with a profile that cannot be read fail alone."""
    odd, sound = [product.calendly.add_user(name) for name in ("odd", "sound")]
    unreadable = CalendlyProtocolError("200 without a name", unreadable=True)
    for _ in range(BREAKER.threshold):
        flow = await Flow(product, process, odd).begin(await product.user("odd"))
        product.calendly.fail_next("me", unreadable)
        assert isinstance((await flow.complete()).error, CalendlyProtocolError)

    flow = await Flow(product, process, sound).begin(await product.user("sound"))
    assert (await flow.complete()).error is None


async def test_one_person_who_fails_stops_no_other_user(
    product: Product, process: Process
) -> None:
    """Calls at connect count as calls of their user, while another user is answered."""
    unlucky, sound = [product.calendly.add_user(name) for name in ("unlucky", "sound")]
    flow = await Flow(product, process, sound).begin(await product.user("sound"))
    assert (await flow.complete()).error is None
    for method in ("me", "exchange_code"):
        for _ in range(2 * BREAKER.threshold):
            flow = await Flow(product, process, unlucky).begin(await product.user("unlucky"))
            product.calendly.fail_next(method, CalendlyUnavailable("500"))
            assert (await flow.complete()).error is not None

    flow = await Flow(product, process, sound).begin(await product.user("sound"))
    assert (await flow.complete()).error is None


async def test_calls_at_connect_and_later_calls_are_of_one_user(
    flow: Flow, product: Product, process: Process, user_id: UserId, account: Account
) -> None:
    """A person's failures are limited together, before and after the connection exists."""
    integration_id = (await flow.complete()).integration_id
    assert integration_id is not None
    product.clock.advance(timedelta(hours=2))
    again = await Flow(product, process, account).begin(user_id)
    product.calendly.fail_next("exchange_code", CalendlyUnavailable("500"))
    assert (await again.complete()).error is not None
    product.calendly.fail_next("refresh", CalendlyUnavailable("500"))
    with pytest.raises(CalendlyUnavailable):
        await process.session.call(integration_id, product.calendly.me)

    breaker = await process.circuit_breakers.current(Surface.OAUTH)
    assert breaker.failed_by == (str(user_id),) * 2
