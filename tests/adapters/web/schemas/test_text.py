"""Text and times in the bodies of requests."""

from typing import Any

import msgspec
import pytest

from adapters.web.schemas.bookings import CancelBooking, NewBooking
from adapters.web.schemas.text import Email, Line, Lines

CONTROLS = [*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029]


def accepts(kind: Any, value: Any) -> bool:
    """Return whether a JSON value is of a kind."""
    try:
        msgspec.json.decode(msgspec.json.encode(value), type=kind)
    except msgspec.ValidationError:
        return False
    return True


@pytest.mark.parametrize("code", CONTROLS)
def test_one_line_has_no_control_character(code: int) -> None:
    """Neither a name nor an address has one: inside, at the beginning or at the end."""
    for text in (f"a{chr(code)}b", f"{chr(code)}ab", f"ab{chr(code)}", chr(code)):
        assert not accepts(Line, text)
        assert not accepts(Email, f"{text}@example.com")
        assert not accepts(Email, f"a@example.com{chr(code)}")


@pytest.mark.parametrize("code", CONTROLS)
def test_several_lines_have_only_tabs_and_line_ends(code: int) -> None:
    """An answer may have line ends, and no other control character."""
    allowed = chr(code) in "\t\n\r\u2028\u2029"

    assert accepts(Lines, f"a{chr(code)}b") is allowed
    assert accepts(Lines, f"ab{chr(code)}") is allowed


@pytest.mark.parametrize("text", ["Zoë", "名前", "O'Brien-Smith", "🎉", "a" * 255, "\u200f\u05d0"])
def test_names_of_people_are_text(text: str) -> None:
    """Any script is accepted."""
    assert accepts(Line, text)
    assert accepts(Lines, text)


@pytest.mark.parametrize("value", [1_764_583_200, 1.5, "1764583200", True, None, [], "2026-12-01"])
def test_a_number_is_not_a_time(value: Any) -> None:
    """A start is RFC 3339 with an offset; a number of seconds or a day is not one."""
    body = {
        "event_type": "intro",
        "start": value,
        "invitee": {"name": "Iris", "email": "iris@example.net", "timezone": "UTC"},
    }

    assert not accepts(NewBooking, body)
    assert accepts(NewBooking, {**body, "start": "2026-12-01T09:00:00+01:00"})


def test_a_reason_is_text() -> None:
    """The reason that the invitee sees has no control character."""
    assert accepts(CancelBooking, {"reason": "ill,\nsorry"})
    assert not accepts(CancelBooking, {"reason": "ill\x1b[31m"})
