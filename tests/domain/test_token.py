from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.secret import Secret
from domain.token import (
    LEGACY_SCOPE,
    LONGEST_LIFE,
    REQUIRED_SCOPES,
    SHORTEST_LIFE,
    TokenPair,
    life,
    missing_scopes,
    parse_scopes,
)
from tests.domain.samples import API, NOW

scope_names = st.from_regex(r"[a-z_]{1,8}:(read|write)", fullmatch=True)


@given(st.integers())
def test_a_stated_life_is_bounded(expires_in: int) -> None:
    """For any number that Calendly states, the life kept lies within believable bounds."""
    assert SHORTEST_LIFE <= life(expires_in) <= LONGEST_LIFE


def test_a_believable_life_is_taken_as_stated() -> None:
    """Two hours are two hours, and the bounds themselves are believable."""
    assert life(7200) == timedelta(hours=2)
    assert life(60) == SHORTEST_LIFE
    assert life(31 * 86400) == LONGEST_LIFE


@pytest.mark.parametrize("text", [None, "", "  ", "default"])
def test_a_legacy_app_has_full_access(text: str | None) -> None:
    """An answer without scopes is a legacy app's, which may do everything."""
    assert parse_scopes(text) == (LEGACY_SCOPE,)
    assert missing_scopes(parse_scopes(text)) == ()


def test_scopes_are_read_in_any_order_and_spacing() -> None:
    """The granted scopes are a set, for any spelling."""
    assert parse_scopes(" b:read  a:write\tb:read\n") == ("a:write", "b:read")


@given(st.sets(scope_names, min_size=1))
def test_scopes_survive_their_text(scopes: set[str]) -> None:
    """Scopes joined by spaces are split into the same ones."""
    assert parse_scopes(" ".join(scopes)) == tuple(sorted(scopes))


def test_write_includes_read() -> None:
    """A write scope includes reading of the same family, and only that one."""
    assert missing_scopes(("webhooks:write",), ("webhooks:read", "webhooks:write")) == ()
    assert missing_scopes(("webhooks:write",), ("users:read",)) == ("users:read",)


def test_read_does_not_include_write() -> None:
    """A declined write scope is missing although its read scope was granted."""
    assert missing_scopes(("webhooks:read",), ("webhooks:write",)) == ("webhooks:write",)


def test_missing_scopes_come_in_the_order_they_are_needed() -> None:
    """Nothing granted means that everything required is missing."""
    assert missing_scopes(()) == REQUIRED_SCOPES
    assert missing_scopes(REQUIRED_SCOPES) == ()


def test_a_pair_shows_no_token() -> None:
    """A token pair has no representation that shows what it holds, and cannot be encoded."""
    pair = TokenPair(
        access=Secret("access-token"),
        refresh=Secret("refresh-token"),
        expires_at=NOW,
        scopes=("users:read",),
        owner_uri=f"{API}/users/U1",
        organization_uri=f"{API}/organizations/O1",
    )

    assert "token" not in repr(pair).lower().replace("tokenpair", "").replace("domain.token", "")
    assert (pair.access, pair.refresh) == (Secret("access-token"), Secret("refresh-token"))
    assert (pair.expires_at, pair.scopes) == (NOW, ("users:read",))
    assert (pair.owner_uri, pair.organization_uri) == (
        f"{API}/users/U1",
        f"{API}/organizations/O1",
    )
