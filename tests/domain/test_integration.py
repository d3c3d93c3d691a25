from datetime import datetime, timedelta

import msgspec
import pytest

from domain.circuit_breaker import CLOSED, Breaker, BreakerState
from domain.errors import IntegrationNotFound, ReauthRequired
from domain.integration import (
    REFRESH_OPEN_FOR,
    Attention,
    Cause,
    Integration,
    Status,
    needs_person,
    refreshed,
    refused,
    still_open,
    usable_tokens,
)
from tests.domain.samples import NOW, TOKENS, integration

NEWER = msgspec.structs.replace(TOKENS, access="v1.k1.newer", version=TOKENS.version + 1)
BROKEN = Breaker(state=BreakerState.OPEN, failures=6, opened_at=NOW, trips=1)


def test_a_live_integration_has_usable_tokens() -> None:
    """An active integration hands out the pair it holds."""
    assert usable_tokens(integration()) == TOKENS


@pytest.mark.parametrize(
    ("attention", "cause"),
    [
        (None, Cause.GRANT_REFUSED),
        (Attention(cause=Cause.OWNER_CHANGED, since=NOW), Cause.OWNER_CHANGED),
    ],
)
def test_a_dead_grant_says_why(attention: Attention | None, cause: Cause) -> None:
    """The next call after the grant died says that it did, why, and what to do."""
    dead = integration(status=Status.REAUTH_REQUIRED, tokens=None, attention=attention)

    with pytest.raises(ReauthRequired, match="/api/calendly/connect") as caught:
        usable_tokens(dead)
    assert caught.value.cause == cause


def test_tokens_kept_beside_a_dead_status_are_not_usable() -> None:
    """The status decides: left-over tokens of a dead grant are not handed out."""
    with pytest.raises(ReauthRequired):
        usable_tokens(integration(status=Status.REAUTH_REQUIRED))


def test_an_active_integration_without_tokens_needs_a_person() -> None:
    """Without tokens there is nothing to call Calendly with, whatever the status says."""
    with pytest.raises(ReauthRequired):
        usable_tokens(integration(tokens=None))


def test_an_integration_being_disconnected_is_gone_for_its_user() -> None:
    """Once disconnecting began, no caller gets its tokens any more."""
    with pytest.raises(IntegrationNotFound):
        usable_tokens(integration(status=Status.DISCONNECTING))


def test_a_refresh_clears_earlier_failures() -> None:
    """A new pair makes an integration active, closes its breaker and clears what went wrong."""
    troubled = integration(
        breaker=BROKEN,
        attention=Attention(cause=Cause.GRANT_REFUSED, since=NOW),
        exchange_started_at=NOW,
        last_error_code="calendly_uncertain",
        status=Status.REAUTH_REQUIRED,
    )

    # The sample's scopes are less than is needed.
    assert refreshed(troubled, NEWER, NOW) == integration(
        tokens=NEWER, last_refreshed_at=NOW, scopes_missing_since=NOW
    )
    assert refreshed(troubled, NEWER, NOW).breaker == CLOSED


def test_a_refresh_takes_over_what_came_with_it() -> None:
    """Scopes and organization are what Calendly named with the pair, or as they were."""
    fresh = refreshed(
        integration(), NEWER, NOW, scopes=("users:read",), organization_uri="https://c/o/NEW"
    )

    assert fresh.scopes == ("users:read",)
    assert fresh.account == msgspec.structs.replace(
        integration().account, organization_uri="https://c/o/NEW"
    )
    assert refreshed(integration(), NEWER, NOW).scopes == integration().scopes


def test_an_open_exchange_is_waited_for_only_so_long() -> None:
    """An exchange whose outcome is unknown may be under way for as long as one can last."""
    started = integration(exchange_started_at=NOW)

    assert still_open(started, NOW + timedelta(seconds=30)) == timedelta(seconds=60)
    assert still_open(started, NOW + REFRESH_OPEN_FOR) is None
    assert still_open(integration(), NOW) is None


@pytest.mark.parametrize(
    ("exchange_started_at", "cause"),
    [(None, Cause.GRANT_REFUSED), (NOW - timedelta(minutes=5), Cause.REFRESH_OUTCOME_LOST)],
)
def test_a_refusal_tells_a_revocation_from_a_lost_answer(
    exchange_started_at: datetime | None, cause: Cause
) -> None:
    """A refusal after an exchange whose answer was lost is blamed on that, not on the user."""
    dead = refused(integration(exchange_started_at=exchange_started_at), NOW, code="grant_refused")

    assert dead.attention == Attention(cause=cause, since=NOW)
    assert dead.status is Status.REAUTH_REQUIRED
    assert dead.last_error_code == "grant_refused"


def test_a_refusal_erases_the_tokens() -> None:
    """Nothing of a dead grant is kept: neither its tokens nor the open exchange."""
    dead = refused(integration(exchange_started_at=NOW), NOW, code="grant_refused")

    assert dead.tokens is None
    assert dead.exchange_started_at is None
    with pytest.raises(ReauthRequired):
        usable_tokens(dead)


def kept(whole: Integration) -> tuple[object, ...]:
    """Return what no refresh may ever change."""
    return whole.id, whole.user_id, whole.account, whole.connected_at, whole.subscription


@pytest.mark.parametrize("cause", Cause)
def test_needing_a_person_keeps_who_it_is_about(cause: Cause) -> None:
    """Losing the grant keeps the account, its owner and its subscription."""
    dead = needs_person(integration(), cause, NOW, code=cause)

    assert kept(dead) == kept(integration())
    assert dead.attention == Attention(cause=cause, since=NOW)
    assert dead.breaker == integration().breaker


def test_a_dead_grant_lives_again_with_a_new_pair() -> None:
    """After connecting again the integration is as usable as before."""
    dead = refused(integration(), NOW, code="grant_refused")

    assert usable_tokens(refreshed(dead, NEWER, NOW)) == NEWER
