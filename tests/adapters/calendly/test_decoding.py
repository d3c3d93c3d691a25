from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.calendly.wire.decoding import Time, Unreadable, decode
from domain.secret import Secret
from tests.adapters.calendly.support import UNHURRIED


class Inner(msgspec.Struct):
    at: Time
    token: Secret


class Outer(msgspec.Struct):
    items: list[Inner]
    name: str = ""


GOOD = {"at": "2026-11-20T09:00:00Z", "token": "s3cret"}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "$.items"),
        ({"items": [{**GOOD, "at": "grace@example.net"}]}, "$.items[0].at"),
        ({"items": [{**GOOD, "at": "2026-11-20T09:00:00"}]}, "$.items[0].at"),
        ({"items": [{"at": GOOD["at"]}]}, "$.items[0].token"),
        ({"items": [{**GOOD, "token": 7}]}, "$.items[0].token"),
        ({"items": [], "name": ["grace@example.net"]}, "$.name"),
        ([], "$"),
    ],
)
def test_a_fault_is_reported_with_its_path(body: Any, field: str) -> None:
    """An unreadable field is named by its path, never by its value."""
    with pytest.raises(Unreadable) as caught:
        decode(msgspec.json.encode(body), Outer)

    assert caught.value.field == field
    assert caught.value.__context__ is None or caught.value.__suppress_context__


def test_a_secret_is_one_from_the_first_moment() -> None:
    """A token is redacted as soon as it is read."""
    read = decode(msgspec.json.encode({"items": [GOOD]}), Outer)

    assert read.items[0].token == Secret("s3cret")
    assert "s3cret" not in repr(read)


def test_what_we_do_not_know_is_passed_over() -> None:
    """Fields that Calendly adds change nothing."""
    assert decode(b'{"items": [], "new": {"deep": [1]}}', Outer) == Outer(items=[])


@UNHURRIED
@given(st.text())
def test_text_keeps_everything_but_nul(text: str) -> None:
    """Every text comes through, with U+FFFD in the place of each NUL."""
    body = msgspec.json.encode({"items": [], "name": text})

    assert decode(body, Outer).name == text.replace("\0", "\ufffd")


@UNHURRIED
@given(st.text(alphabet="\\u0\0"))
def test_backslashes_do_not_confuse_the_search_for_nul(text: str) -> None:
    """A text that only looks like an escaped NUL is not touched."""
    body = msgspec.json.encode({"items": [], "name": text})

    assert decode(body, Outer).name == text.replace("\0", "\ufffd")
