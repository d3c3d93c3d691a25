from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from time import perf_counter
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.telemetry.patterns import is_secret_name, redact_text
from adapters.telemetry.redaction import redact
from domain.errors import GrantRefused
from domain.secret import Secret


class Colour(StrEnum):
    """An enumeration."""

    RED = "red"


class Leaky:
    """An object whose repr holds a secret."""

    def __repr__(self) -> str:
        return "<Leaky hunter2>"


def redacted(**fields: Any) -> dict[str, Any]:
    """Return an entry's fields as they would be written."""
    return dict(redact(None, "info", fields))


@pytest.mark.parametrize(
    "name",
    [
        "token",
        "access_token",
        "refreshToken",
        "tokens",
        "client_secret",
        "Authorization",
        "code",
        "state",
        "body",
        "request_body",
        "email",
        "invitee_emails",
        "password",
        "Set-Cookie",
        "cookies",
        "api_key",
        "X-Api-Key",
        "signing_keys",
        "calendly-webhook-signature",
        "code_verifier",
        "database_url",
    ],
)
def test_a_field_with_a_secret_s_name_is_redacted(name: str) -> None:
    """A field named token, code, body or the like is never written."""
    assert redacted(**{name: "hunter2"}) == {name: "[redacted]"}
    assert redacted(outer={name: ["hunter2"]}) == {"outer": {name: "[redacted]"}}


@pytest.mark.parametrize(
    "name",
    ["error_code", "status_code", "token_expires_at", "integration_id", "workflow_id", "route"],
)
def test_a_field_that_operators_need_is_not(name: str) -> None:
    """Codes, ids and times stay readable."""
    assert not is_secret_name(name)
    assert redacted(**{name: "value"}) == {name: "value"}


def test_counts_of_secret_things_stay() -> None:
    """A number of tokens is not a secret."""
    assert redacted(tokens=3, body=None) == {"tokens": 3, "body": None}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Authorization: Bearer abc.def-ghi", "Authorization: Bearer [redacted]"),
        ("basic dXNlcjpwdw==", "basic [redacted]"),
        ("key sk_AbCdEfGhIjKl-_12 used", "key [redacted] used"),
        ("mail joe.doe+tag@mail.example.co.uk!", "mail [redacted]!"),
        ("?email=joe%40example.com&x=1", "?email=[redacted]&x=1"),
        ("jwt eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJ4In0.c2ln end", "jwt [redacted] end"),
        (f"code {'0a' * 32} spent", "code [redacted] spent"),
        ("postgresql://u:p%40ss@db:5432/x", "postgresql://[redacted]@db:5432/x"),
        ("/callback?code=abc&state=def&x=1", "/callback?code=[redacted]&state=[redacted]&x=1"),
        (
            "/?calendly=confirm&calendly_handle=aB-9",
            "/?calendly=confirm&calendly_handle=[redacted]",
        ),
        ("{'refresh_token': 'abc', 'n': 1}", "{'refresh_token': '[redacted]', 'n': 1}"),
        ('{"access_token":"abc"}', '{"access_token":"[redacted]"}'),
        (
            "grant_type=refresh_token&refresh_token=abc",
            "grant_type=refresh_token&refresh_token=[redacted]",
        ),
        (
            "check fails\nDETAIL:  Failing row contains (1, Joe, x).",
            "check fails\nDETAIL: [redacted]",
        ),
    ],
)
def test_what_looks_like_a_credential_or_an_address_is_redacted(text: str, expected: str) -> None:
    """Credentials and e-mail addresses are found inside any text."""
    assert expected == redact_text(text)


@pytest.mark.parametrize(
    "text",
    [
        "token_refreshed",
        "Calendly answered 400 (invalid_grant): the code or token is spent.",
        "https://api.calendly.com/users/AAAAAAAAAAAAAAAA",
        "integration 01a203f7-40f8-724d-82d1-6a69c44a793f: state moved",
        "2026-11-22T10:00:00Z @ noon",
    ],
)
def test_what_operators_read_stays_readable(text: str) -> None:
    """Messages, ids, times and addresses without secrets pass unchanged."""
    assert text == redact_text(text)


@given(st.emails())
def test_no_e_mail_address_passes(address: str) -> None:
    """No address of the common form survives, at any place of a text."""
    local, _, domain = address.rpartition("@")
    if not all(part.isalnum() for part in local) or not domain.isascii():
        return

    assert address not in redact_text(f"to <{address}>, please")


def test_values_are_written_plainly() -> None:
    """Ids, times and enumerations appear as text, numbers as numbers."""
    fields = {
        "id": UUID(int=7),
        "at": datetime(2026, 11, 22, tzinfo=UTC),
        "age": timedelta(minutes=1),
        "colour": Colour.RED,
        "path": Path("/tmp"),
        "many": (1, 2.5, True, None),
        "big": 2**70,
    }

    assert redacted(**fields) == {
        "id": "00000000-0000-0000-0000-000000000007",
        "at": "2026-11-22 00:00:00+00:00",
        "age": "0:01:00",
        "colour": "red",
        "path": "/tmp",
        "many": [1, 2.5, True, None],
        "big": str(2**70),
    }


def test_what_is_no_plain_value_is_only_named() -> None:
    """Secrets, bytes and unknown objects are never rendered by their content."""
    fields = {
        "given": Secret("hunter2"),
        "raw": b"hunter2",
        "thing": Leaky(),
        "struct": msgspec.defstruct("Thing", ["name"])("hunter2"),
        "broken": ValueError("hunter2"),
        "ours": GrantRefused("the grant is gone"),
    }

    assert redacted(**fields) == {
        "given": "[redacted]",
        "raw": "[7 bytes]",
        "thing": "<Leaky>",
        "struct": "<Thing>",
        "broken": "<ValueError>",
        "ours": "grant_refused: the grant is gone",
    }


def test_depth_and_length_are_bounded() -> None:
    """A value that contains itself, or a huge one, makes no huge entry."""
    loop: list[Any] = []
    loop.append(loop)

    entry = redacted(loop=loop, text="x" * 100_000)

    assert "<list>" in str(entry["loop"])
    assert len(entry["text"]) < 10_000


def test_a_secret_at_the_visible_end_is_not_halved() -> None:
    """Cutting a long text never leaves the first half of an address or a token."""
    for length in range(7_960, 8_010):
        assert "joe" not in redact_text("x" * length + " joe.doe@example.com" + " y" * 9_000)


def test_no_text_takes_long() -> None:
    """Text made to keep the patterns busy is redacted in milliseconds."""
    nasty = ["a" * 8000, "a." * 4000, "a@" * 4000, "://" * 2600, "token:" * 1300, "DETAIL:" * 1100]
    began = perf_counter()

    for text in nasty:
        redact_text(text)

    assert perf_counter() - began < 2


@given(st.dictionaries(st.text(max_size=10), st.text() | st.integers() | st.binary(), max_size=5))
def test_every_entry_can_be_written_as_json(fields: dict[str, Any]) -> None:
    """Every entry leaves as JSON, for any value."""
    entry = redact(None, "info", {f"x{name}": value for name, value in fields.items()})

    assert msgspec.json.decode(msgspec.json.encode(entry)) == entry


def test_a_text_that_is_no_unicode_is_still_written() -> None:
    """A lone surrogate costs a character, not the entry."""
    assert msgspec.json.encode(redacted(text="a\ud800b")) == b'{"text":"a?b"}'
