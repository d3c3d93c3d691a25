import base64
import hashlib

import pytest

from domain.errors import (
    AccessTokenRejected,
    CalendlyThrottled,
    CalendlyUnavailable,
    CalendlyUncertain,
    GrantRefused,
)
from domain.secret import Secret
from domain.token import REQUESTED_SCOPES, Access, TokenPair
from tests.contracts.calendly.stage import Stage

VERIFIER = "v" * 43
CHALLENGE = (
    base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
)
REDIRECT = "http://localhost:3000/api/calendly/callback"


async def code_of(stage: Stage, decline: tuple[str, ...] = ()) -> Secret:
    """Return the code of a consent."""
    url = stage.oauth.authorize_url(state="state-1", challenge=CHALLENGE, redirect_uri=REDIRECT)
    return await stage.consent(url, decline)


async def exchanged(stage: Stage, code: Secret, **changed: str) -> TokenPair:
    """Exchange a code, with one thing changed perhaps."""
    return await stage.oauth.exchange_code(
        code=code,
        verifier=Secret(changed.get("verifier", VERIFIER)),
        redirect_uri=changed.get("redirect_uri", REDIRECT),
    )


async def refreshed(stage: Stage, pair: TokenPair) -> TokenPair:
    """Exchange a pair's refresh token."""
    return await stage.oauth.refresh(pair.refresh, user_uri=stage.account.user_uri)


async def test_a_consent_gives_a_pair_that_opens_the_api(stage: Stage) -> None:
    """After consent and exchange the account can be read with what was granted."""
    pair = await exchanged(stage, await code_of(stage))

    assert pair.scopes == tuple(sorted(REQUESTED_SCOPES))
    assert pair.owner_uri == stage.account.user_uri
    assert pair.organization_uri == stage.account.organization_uri
    assert await stage.accounts.me(Access(pair.access, pair.owner_uri)) == stage.account


async def test_declined_scopes_are_read_back(stage: Stage) -> None:
    """A scope that the user declined is not in the pair."""
    pair = await exchanged(stage, await code_of(stage, ("webhooks:write",)))

    assert set(pair.scopes) == set(REQUESTED_SCOPES) - {"webhooks:write"}


async def test_a_code_works_once(stage: Stage) -> None:
    """A second exchange of the same code is refused."""
    code = await code_of(stage)
    await exchanged(stage, code)

    with pytest.raises(GrantRefused):
        await exchanged(stage, code)


@pytest.mark.parametrize(
    "changed", [{"verifier": "w" * 43}, {"redirect_uri": "http://localhost:3000/other"}]
)
async def test_a_code_works_for_its_own_request_only(
    stage: Stage, changed: dict[str, str]
) -> None:
    """Another verifier or redirect URI than the consent's is refused."""
    code = await code_of(stage)

    with pytest.raises(GrantRefused):
        await exchanged(stage, code, **changed)


async def test_an_unknown_code_is_refused(stage: Stage) -> None:
    """A made-up code opens nothing."""
    with pytest.raises(GrantRefused):
        await exchanged(stage, Secret("0" * 64))


async def test_a_refresh_token_works_once(stage: Stage) -> None:
    """Each refresh gives a new pair; a spent token is refused, the newest works."""
    first = await stage.pair()
    second = await refreshed(stage, first)

    with pytest.raises(GrantRefused):
        await refreshed(stage, first)
    third = await refreshed(stage, second)

    assert len({each.refresh.reveal() for each in (first, second, third)}) == 3
    assert await stage.accounts.me(Access(third.access, third.owner_uri)) == stage.account
    assert third.expires_at > first.expires_at.replace(year=first.expires_at.year - 1)


async def test_a_lost_answer_burns_the_token(stage: Stage) -> None:
    """When the answer is lost the outcome is uncertain, and the token is in fact spent."""
    pair = await stage.pair()
    await stage.lose_next_answer("refresh")

    with pytest.raises(CalendlyUncertain):
        await refreshed(stage, pair)
    with pytest.raises(GrantRefused):
        await refreshed(stage, pair)


async def test_an_outage_leaves_the_token_alive(stage: Stage) -> None:
    """A request that Calendly did not process costs nothing."""
    pair = await stage.pair()
    await stage.be_down_for_next("refresh")

    with pytest.raises(CalendlyUnavailable):
        await refreshed(stage, pair)
    second = await refreshed(stage, pair)

    assert second.refresh != pair.refresh


async def test_a_user_who_removes_the_app_ends_the_grant(stage: Stage) -> None:
    """After removal neither token works."""
    pair = await stage.pair()
    await stage.revoke_grants()

    with pytest.raises(GrantRefused):
        await refreshed(stage, pair)
    with pytest.raises(AccessTokenRejected):
        await stage.accounts.me(Access(pair.access, pair.owner_uri))


async def test_a_revoked_token_may_be_revoked_again(stage: Stage) -> None:
    """Revoking ends the pair; revoking a dead token is not an error."""
    pair = await stage.pair()

    await stage.oauth.revoke(pair.refresh)
    await stage.oauth.revoke(pair.refresh)

    with pytest.raises(GrantRefused):
        await refreshed(stage, pair)


async def test_the_ninth_token_request_in_a_minute_waits(stage: Stage) -> None:
    """Eight refreshes a minute succeed, the ninth learns when to retry."""
    pair = await stage.pair()
    for _ in range(8):
        pair = await refreshed(stage, pair)

    with pytest.raises(CalendlyThrottled) as caught:
        await refreshed(stage, pair)

    assert caught.value.retry_after is not None
    assert 1 <= caught.value.retry_after <= 60
