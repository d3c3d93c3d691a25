from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from domain.errors import (
    CalendlyError,
    CalendlyProtocolError,
    CalendlyRejected,
    CalendlyThrottled,
    CalendlyUnavailable,
    CalendlyUncertain,
    ClientRefused,
    GrantRefused,
)
from domain.secret import Secret
from domain.token import REQUESTED_SCOPES
from tests.adapters.calendly.support import AUTH_URL, NOW, Wire, answer, form
from tests.fakes.calendly import bodies

REDIRECT = "https://slots.example/api/calendly/callback"
BASIC = "Basic Y2xpZW50LTE6Y2xpZW50LXNlY3JldC0x"  # client-1:client-secret-1


def invalid_grant(status: int) -> httpx.Response:
    """The words of Calendly's OAuth server for a spent token."""
    text = "The provided authorization grant is invalid, expired, revoked."
    return answer(status, {"error": "invalid_grant", "error_description": text})


def test_the_consent_page_is_asked_with_pkce_and_every_required_scope() -> None:
    """The consent address carries PKCE S256, the state and the scopes, and nothing secret."""
    url = urlsplit(
        Wire().oauth.authorize_url(state="s t&te", challenge="challenge-1", redirect_uri=REDIRECT)
    )

    assert f"{url.scheme}://{url.netloc}{url.path}" == f"{AUTH_URL}/oauth/authorize"
    assert parse_qs(url.query) == {
        "client_id": ["client-1"],
        "response_type": ["code"],
        "redirect_uri": [REDIRECT],
        "scope": [" ".join(REQUESTED_SCOPES)],
        "state": ["s t&te"],
        "code_challenge": ["challenge-1"],
        "code_challenge_method": ["S256"],
    }
    assert "+" not in url.query


async def test_a_code_is_exchanged_with_basic_auth_and_a_form() -> None:
    """A code is exchanged with Basic authentication, the same redirect URI and the verifier."""
    wire = Wire(answer(200, bodies.tokens()))

    pair = await wire.oauth.exchange_code(
        code=Secret("code-1"), verifier=Secret("verifier-1"), redirect_uri=REDIRECT
    )

    assert wire.request.method == "POST"
    assert str(wire.request.url) == f"{AUTH_URL}/oauth/token"
    assert wire.request.headers["authorization"] == BASIC
    assert wire.request.headers["content-type"] == "application/x-www-form-urlencoded"
    assert form(wire.request) == {
        "grant_type": "authorization_code",
        "code": "code-1",
        "redirect_uri": REDIRECT,
        "code_verifier": "verifier-1",
    }
    assert pair.access == Secret("eyJhbGciOiJIUzI1NiJ9.access")
    assert pair.refresh == Secret("refresh-2")
    assert pair.scopes == ("users:read", "webhooks:write")
    assert (pair.owner_uri, pair.organization_uri) == (bodies.USER, bodies.ORGANIZATION)


async def test_a_refresh_sends_the_token_once_as_a_form() -> None:
    """A refresh is one form request with Basic authentication."""
    wire = Wire(answer(200, bodies.tokens()))

    pair = await wire.oauth.refresh(Secret("refresh-1"), user_uri=bodies.USER)

    assert form(wire.request) == {"grant_type": "refresh_token", "refresh_token": "refresh-1"}
    assert wire.request.headers["authorization"] == BASIC
    assert pair.refresh == Secret("refresh-2")


@pytest.mark.parametrize(
    ("stated", "life"),
    [
        (7200, timedelta(hours=2)),
        ("7200", timedelta(hours=2)),
        (7199.5, timedelta(seconds=7199)),
        (5, timedelta(seconds=60)),
        (0, timedelta(hours=2)),
        (-1, timedelta(hours=2)),
        (10**30, timedelta(days=31)),
    ],
)
async def test_a_token_dies_by_our_clock_and_believably(
    stated: float | str, life: timedelta
) -> None:
    """An access token's death is counted on our clock, from before the request."""
    wire = Wire(answer(200, bodies.tokens(expires_in=stated, created_at=1)))

    pair = await wire.oauth.refresh(Secret("refresh-1"), user_uri=bodies.USER)

    assert pair.expires_at == NOW + life


async def test_a_pair_survives_the_loss_of_everything_optional() -> None:
    """A pair without life and scope is kept, since the token before it is dead."""
    body = bodies.tokens()
    del body["expires_in"], body["scope"], body["created_at"], body["token_type"]
    wire = Wire(answer(200, body), answer(200, body))

    first = await wire.oauth.exchange_code(
        code=Secret("code-1"), verifier=Secret("verifier-1"), redirect_uri=REDIRECT
    )
    second = await wire.oauth.refresh(Secret("refresh-1"), user_uri=bodies.USER)

    assert first.expires_at == second.expires_at == NOW + timedelta(hours=2)
    assert first.scopes == ("default",)
    assert second.scopes == ()


@pytest.mark.parametrize("status", [400, 401])
async def test_a_spent_token_is_a_refused_grant(status: int) -> None:
    """`invalid_grant` means that a person has to connect again, with either status."""
    wire = Wire(invalid_grant(status))

    with pytest.raises(GrantRefused, match=f"POST /oauth/token: Calendly answered {status}"):
        await wire.oauth.refresh(Secret("refresh-1"), user_uri=bodies.USER)


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (401, {"error": "invalid_client"}, ClientRefused),
        (400, {"error": "invalid_client"}, ClientRefused),
        (401, {"error": "unauthorized_client"}, ClientRefused),
        (400, {"error": "invalid_request"}, CalendlyRejected),
        (400, {"error": "unsupported_grant_type"}, CalendlyRejected),
        (400, {"error": "something_new"}, CalendlyProtocolError),
        (400, {"title": "Invalid Argument", "message": "No."}, CalendlyProtocolError),
        (400, {"error": 7}, CalendlyProtocolError),
        (401, b"<html>", CalendlyProtocolError),
        (403, b"<html>Just a moment...</html>", CalendlyProtocolError),
        (404, b"", CalendlyProtocolError),
        (302, b"", CalendlyProtocolError),
        (503, b"", CalendlyUnavailable),
        (521, b"", CalendlyUnavailable),
        (500, {"error": "server_error"}, CalendlyUncertain),
        (502, b"", CalendlyUncertain),
        (504, b"", CalendlyUncertain),
        (520, b"", CalendlyUncertain),
        (524, b"", CalendlyUncertain),
        (200, b"", CalendlyUncertain),
        (200, b'{"access_token": "eyJ', CalendlyUncertain),
        (200, [], CalendlyUncertain),
        (200, bodies.tokens(access_token="", refresh_token=None), CalendlyUncertain),
        (204, b"", CalendlyUncertain),
    ],
)
async def test_every_other_answer_leaves_the_grant_alone(
    status: int, body: object, error: type[CalendlyError]
) -> None:
    """Only `invalid_grant` gives a grant up; each other answer says whether it was processed."""
    wire = Wire(answer(status, body))

    with pytest.raises(CalendlyError) as caught:
        await wire.oauth.refresh(Secret("refresh-1"), user_uri=bodies.USER)

    assert type(caught.value) is error
    assert len(wire.requests) == 1


@pytest.mark.parametrize(
    ("failure", "error"),
    [
        (httpx.ConnectError("refused"), CalendlyUnavailable),
        (httpx.ConnectTimeout("slow"), CalendlyUnavailable),
        (httpx.PoolTimeout("full"), CalendlyUnavailable),
        (httpx.ReadTimeout("silent"), CalendlyUncertain),
        (httpx.WriteTimeout("stuck"), CalendlyUncertain),
        (httpx.ReadError("cut"), CalendlyUncertain),
        (httpx.WriteError("cut"), CalendlyUncertain),
        (httpx.RemoteProtocolError("noise"), CalendlyUncertain),
        (httpx.DecodingError("not gzip"), CalendlyUncertain),
    ],
)
async def test_a_lost_answer_is_uncertain_and_never_repeated(
    failure: httpx.HTTPError, error: type[CalendlyError]
) -> None:
    """A request that may have arrived is uncertain, one that never left is unavailable; one try."""
    wire = Wire(failure)

    with pytest.raises(CalendlyError) as caught:
        await wire.oauth.refresh(Secret("refresh-1"), user_uri=bodies.USER)

    assert type(caught.value) is error
    assert len(wire.requests) == 1


async def test_a_429_pauses_that_user_only() -> None:
    """After a 429 that user's refreshes wait as long as asked, another user's go on."""
    wire = Wire(answer(429, retry_after="17"), answer(200, bodies.tokens()))

    with pytest.raises(CalendlyThrottled) as first:
        await wire.oauth.refresh(Secret("refresh-1"), user_uri=bodies.USER)
    with pytest.raises(CalendlyThrottled) as second:
        await wire.oauth.refresh(Secret("refresh-1"), user_uri=bodies.USER)
    await wire.oauth.refresh(Secret("refresh-9"), user_uri=f"{bodies.API}/users/OTHER")

    assert (first.value.retry_after, second.value.retry_after) == (17, 17)
    assert len(wire.requests) == 2


async def test_the_ninth_refresh_in_a_minute_is_not_sent() -> None:
    """A user's ninth token request within a minute is refused here, unsent."""
    wire = Wire(
        by=lambda _: answer(
            200,
            bodies.tokens(),
            x_ratelimit_limit="500",
            x_ratelimit_remaining="490",
            x_ratelimit_reset="60",
        )
    )
    for _ in range(8):
        await wire.oauth.refresh(Secret("refresh-1"), user_uri=bodies.USER)

    with pytest.raises(CalendlyThrottled) as caught:
        await wire.oauth.refresh(Secret("refresh-1"), user_uri=bodies.USER)

    assert caught.value.retry_after == 60
    assert len(wire.requests) == 8


async def test_a_token_is_revoked_with_the_credentials_in_the_form() -> None:
    """Revoking sends client id, secret and token as a form."""
    wire = Wire(answer(200, {}))

    await wire.oauth.revoke(Secret("refresh-1"))

    assert str(wire.request.url) == f"{AUTH_URL}/oauth/revoke"
    assert form(wire.request) == {
        "client_id": "client-1",
        "client_secret": "client-secret-1",
        "token": "refresh-1",
    }


@pytest.mark.parametrize("error", ["invalid_grant", "invalid_token"])
async def test_a_dead_token_counts_as_revoked(error: str) -> None:
    """Revoking a dead token is not an error (RFC 7009)."""
    wire = Wire(answer(400, {"error": error}))

    await wire.oauth.revoke(Secret("refresh-1"))

    assert len(wire.requests) == 1


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (401, {"error": "invalid_client"}, ClientRefused),
        (403, {"error": "unauthorized_client"}, ClientRefused),
        (429, b"", CalendlyThrottled),
        (503, b"", CalendlyUnavailable),
        (500, b"", CalendlyUncertain),
        (400, b"", CalendlyProtocolError),
    ],
)
async def test_a_refused_revocation_is_not_a_success(
    status: int, body: object, error: type[CalendlyError]
) -> None:
    """A revocation that may not have happened is reported."""
    wire = Wire(answer(status, body))

    with pytest.raises(error):
        await wire.oauth.revoke(Secret("refresh-1"))
