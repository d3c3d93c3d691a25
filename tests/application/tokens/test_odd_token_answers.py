from datetime import timedelta
from typing import Any

import httpx
import pytest

from application.integrations.view_integration import CONNECT_PATH, ViewIntegration
from application.tokens.token_encryption import open_access
from domain.errors import CalendlyUncertain, GrantRefused
from domain.integration import Cause, Integration, Status
from domain.secret import Secret
from domain.token import REQUIRED_SCOPES
from tests.adapters.calendly.support import NOW, Wire, answer, form
from tests.application.support.building import Product
from tests.application.support.leasing import leased
from tests.application.support.process import BREAKER, Process
from tests.fakes.calendly import bodies
from tests.fakes.clock import NOON

ABSENT = object()
TWO_HOURS = timedelta(hours=2)
ALL_SCOPES = " ".join(REQUIRED_SCOPES)


def answer_with(**changed: Any) -> httpx.Response:
    """Return the token endpoint's answer with some fields changed or left out."""
    body = bodies.tokens(**changed)
    return answer(200, {name: value for name, value in body.items() if value is not ABSENT})


async def exchanged(
    product: Product, process: Process, response: httpx.Response
) -> tuple[Integration, Wire]:
    """Connect, refresh with this answer, and return the row as it is then."""
    connected = await product.connect()
    wire = Wire(response)
    wire.clock.move((NOON - NOW).total_seconds())
    process.calendly = wire.oauth  # type: ignore[assignment]
    await process.refresh_under_lease.run(*await leased(product, connected.id))
    return await product.stored(connected.id), wire


async def test_fewer_scopes_keep_the_grant_and_are_shown(
    product: Product, process: Process
) -> None:
    """A grant with fewer scopes stays active; the missing scopes and the remedy are shown."""
    stored, _ = await exchanged(
        product, process, answer_with(scope="users:read", owner=ABSENT, organization=ABSENT)
    )

    shown = await ViewIntegration(
        storage=product.storage,
        clock=product.clock,
        breaker_policy=BREAKER,
        public_url="https://slots.example",
    )(stored.user_id)

    assert (stored.status, stored.scopes) == (Status.ACTIVE, ("users:read",))
    assert stored.tokens is not None
    assert stored.tokens.version == 2
    assert set(shown.missing_scopes) == set(REQUIRED_SCOPES) - {"users:read"}
    assert shown.action_required is not None
    assert shown.action_required.code == "scopes_missing"
    assert shown.action_required.connect_path == CONNECT_PATH


async def test_a_refresh_without_scopes_changes_none(product: Product, process: Process) -> None:
    """A refresh that says nothing of scopes changes none."""
    stored, _ = await exchanged(
        product, process, answer_with(scope=ABSENT, owner=ABSENT, organization=ABSENT)
    )

    assert set(stored.scopes) == set(REQUIRED_SCOPES)
    assert (await product.stored(stored.id)).account.organization_uri != ""


async def test_a_refresh_without_refresh_token_ends_no_grant(
    product: Product, process: Process
) -> None:
    """The account works on with the new access token, and is asked for again when it is due."""
    stored, _ = await exchanged(
        product, process, answer_with(refresh_token=ABSENT, owner=ABSENT, scope=ALL_SCOPES)
    )

    assert (stored.status, stored.attention) == (Status.ACTIVE, None)
    assert stored.tokens is not None
    assert stored.tokens.expires_at == NOON + TWO_HOURS
    access = open_access(product.vault, stored)
    assert access.token == Secret("eyJhbGciOiJIUzI1NiJ9.access")


async def test_a_refresh_without_access_token_is_repeated_on_use(
    product: Product, process: Process
) -> None:
    """The account's next use exchanges the new refresh token, and goes through."""
    stored, wire = await exchanged(
        product, process, answer_with(access_token=ABSENT, owner=ABSENT, scope=ALL_SCOPES)
    )
    wire._answers.append(answer_with(owner=ABSENT))

    token = await process.session.call(stored.id, _token_of)

    assert token == Secret("eyJhbGciOiJIUzI1NiJ9.access")
    assert [form(request)["refresh_token"] for request in wire.requests[1:]] == ["refresh-2"]


async def _token_of(access: Any) -> Secret:
    """Return the token that a call would carry."""
    token: Secret = access.token
    return token


async def test_another_owner_needs_a_person(product: Product, process: Process) -> None:
    """Tokens of another Calendly user are never stored for this one."""
    connected = await product.connect()
    process.calendly = Wire(answer_with(owner=f"{bodies.API}/users/OTHER")).oauth  # type: ignore[assignment]

    with pytest.raises(GrantRefused):
        await process.refresh_under_lease.run(*await leased(product, connected.id))

    stored = await product.stored(connected.id)
    assert (stored.status, stored.tokens) == (Status.REAUTH_REQUIRED, None)
    assert stored.attention is not None
    assert stored.attention.cause is Cause.OWNER_CHANGED


async def test_html_in_the_place_of_tokens_ends_no_grant(
    product: Product, process: Process
) -> None:
    """A page that something on the way answered leaves the account as it is, to be tried again."""
    connected = await product.connect()
    process.calendly = Wire(answer(200, b"<html>")).oauth  # type: ignore[assignment]

    with pytest.raises(CalendlyUncertain):
        await process.refresh_under_lease.run(*await leased(product, connected.id))

    stored = await product.stored(connected.id)
    assert (stored.status, stored.tokens) == (Status.ACTIVE, connected.tokens)
    assert stored.exchange_started_at == NOON
    assert stored.last_error_code == "calendly_uncertain"
