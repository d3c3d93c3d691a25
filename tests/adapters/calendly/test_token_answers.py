from datetime import timedelta
from typing import Any

import httpx
import msgspec
import pytest

from domain.circuit_breaker import is_outage
from domain.errors import CalendlyUncertain
from domain.secret import Secret
from domain.token import TokenPair
from tests.adapters.calendly.support import NOW, Wire, answer
from tests.fakes.calendly import bodies

ABSENT = object()
TWO_HOURS = timedelta(hours=2)
REFRESH = Secret("refresh-1")


def answer_with(**changed: Any) -> httpx.Response:
    """Return the token endpoint's answer with some fields changed or left out."""
    body = bodies.tokens(**changed)
    return answer(200, {name: value for name, value in body.items() if value is not ABSENT})


async def refreshed_with(response: httpx.Response) -> TokenPair:
    """Return the pair that a refresh brings."""
    return await Wire(response).oauth.refresh(REFRESH, user_uri=bodies.USER)


async def connected_with(response: httpx.Response) -> TokenPair:
    """Return the pair that an authorization code brings."""
    return await Wire(response).oauth.exchange_code(
        code=Secret("code-1"), verifier=Secret("verifier-1"), redirect_uri="https://slots.example"
    )


@pytest.mark.parametrize(
    ("stated", "life"),
    [
        (7200, TWO_HOURS),
        ("7200", TWO_HOURS),
        (7199.5, timedelta(seconds=7199)),
        (5, timedelta(seconds=60)),
        (0, TWO_HOURS),
        (-3600, TWO_HOURS),
        (365 * 24 * 3600, timedelta(days=31)),
        (10**40, timedelta(days=31)),
        (1e300, timedelta(days=31)),
        (ABSENT, TWO_HOURS),
        (None, TWO_HOURS),
        ("", TWO_HOURS),
        ("two hours", TWO_HOURS),
        ("nan", TWO_HOURS),
        ("inf", timedelta(days=31)),
        ("-inf", TWO_HOURS),
        ([7200], TWO_HOURS),
        ({"seconds": 7200}, TWO_HOURS),
    ],
)
async def test_whatever_life_is_stated_the_pair_is_kept(stated: object, life: timedelta) -> None:
    """An incredible or unreadable life is replaced by one between a minute and a month."""
    for pair in (
        await refreshed_with(answer_with(expires_in=stated)),
        await connected_with(answer_with(expires_in=stated)),
    ):
        assert pair.expires_at == NOW + life
        assert pair.refresh == Secret("refresh-2")


async def test_a_number_beyond_every_float_is_no_life() -> None:
    """A life of a thousand digits costs no pair."""
    body = msgspec.json.encode(bodies.tokens(expires_in=0))
    huge = body.replace(b'"expires_in":0', b'"expires_in":' + b"9" * 1000)

    pair = await refreshed_with(answer(200, huge))

    assert b"9" * 1000 in huge
    assert NOW + TWO_HOURS <= pair.expires_at <= NOW + timedelta(days=31)


@pytest.mark.parametrize("token", [ABSENT, None, "", 7, ["refresh-2"]])
async def test_without_a_new_refresh_token_the_old_one_stays(token: object) -> None:
    """An answer without refresh token leaves the one that was sent in force (RFC 6749, 6)."""
    pair = await refreshed_with(answer_with(refresh_token=token))

    assert pair.refresh == REFRESH
    assert pair.access == Secret("eyJhbGciOiJIUzI1NiJ9.access")
    assert pair.expires_at == NOW + TWO_HOURS
    assert not pair.rotated


@pytest.mark.parametrize("token", [ABSENT, None, "", 7])
async def test_without_an_access_token_the_next_exchange_brings_one(token: object) -> None:
    """A new refresh token alone is kept: the pair is due immediately."""
    pair = await refreshed_with(answer_with(access_token=token))

    assert pair.refresh == Secret("refresh-2")
    assert pair.expires_at == NOW
    assert pair.rotated


@pytest.mark.parametrize(
    "response",
    [
        answer(200, b"<!doctype html><title>Just a moment...</title>"),
        answer(200, b""),
        answer(200, b'{"access_token": "eyJ'),
        answer(200, []),
        answer(200, "token"),
        answer(200, {}),
        answer_with(access_token="", refresh_token=ABSENT),
    ],
    ids=["HTML", "empty", "cut", "list", "text", "no field", "no token"],
)
async def test_an_answer_without_tokens_is_uncertain(response: httpx.Response) -> None:
    """Where no token can be read the request may have been processed: nothing else is known."""
    with pytest.raises(CalendlyUncertain):
        await refreshed_with(response)


@pytest.mark.parametrize("missing", ["access_token", "refresh_token"])
async def test_a_connection_needs_both_tokens(missing: str) -> None:
    """The person is there still: a connection that could not last is begun again."""
    with pytest.raises(CalendlyUncertain, match=missing):
        await connected_with(answer_with(**{missing: ABSENT}))


@pytest.mark.parametrize(
    ("stated", "at_refresh", "at_connect"),
    [
        (
            "webhooks:write users:read",
            ("users:read", "webhooks:write"),
            ("users:read", "webhooks:write"),
        ),
        ("default", ("default",), ("default",)),
        (ABSENT, (), ("default",)),
        (None, (), ("default",)),
        (7, (), ("default",)),
        ("", (), ()),
        ("  ", (), ()),
    ],
)
async def test_empty_scopes_differ_from_missing_scopes(
    stated: object, at_refresh: tuple[str, ...], at_connect: tuple[str, ...]
) -> None:
    """At a refresh both mean as before; of a new grant, not said is full access, empty is none."""
    assert (await refreshed_with(answer_with(scope=stated))).scopes == at_refresh
    assert (await connected_with(answer_with(scope=stated))).scopes == at_connect


@pytest.mark.parametrize("owner", [ABSENT, None, "", 7])
async def test_who_is_not_named_is_who_asked(owner: object) -> None:
    """A refresh token belongs to its owner: an answer without a user is for the same user."""
    pair = await refreshed_with(answer_with(owner=owner, organization=owner))

    assert (pair.owner_uri, pair.organization_uri) == (bodies.USER, "")


@pytest.mark.parametrize("field", ["scope", "owner", "organization"])
async def test_a_text_that_cannot_be_stored_counts_as_missing(field: str) -> None:
    """A NUL in a text that only tells does not cost the tokens beside it."""
    odd = await refreshed_with(answer_with(**{field: "x\x00y"}))
    silent = await refreshed_with(answer_with(**{field: None}))

    assert (odd.scopes, odd.owner_uri, odd.organization_uri) == (
        silent.scopes,
        silent.owner_uri,
        silent.organization_uri,
    )


async def test_a_page_in_place_of_tokens_speaks_against_calendly() -> None:
    """A success without readable tokens counts for the breaker: the token may be spent."""
    page = httpx.Response(200, headers={"content-type": "text/html"}, content=b"<html>Back soon")
    with pytest.raises(CalendlyUncertain) as failure:
        await refreshed_with(page)

    assert failure.value.unreadable
    assert is_outage(failure.value)
