from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.variables.durations import format_duration, parse_duration


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("90", timedelta(seconds=90)),
        ("0.2", timedelta(milliseconds=200)),
        ("60s", timedelta(seconds=60)),
        ("15m", timedelta(minutes=15)),
        ("24h", timedelta(hours=24)),
        ("1h15m", timedelta(minutes=75)),
        ("1.5h", timedelta(minutes=90)),
        ("200ms", timedelta(milliseconds=200)),
        ("7d", timedelta(days=7)),
        ("PT24H", timedelta(hours=24)),
        ("p1dt1h", timedelta(hours=25)),
        (" 15M ", timedelta(minutes=15)),
    ],
)
def test_a_duration_may_be_written_in_seconds_in_units_or_in_iso_8601(
    text: str, expected: timedelta
) -> None:
    """A duration is plain seconds, numbers with units, or ISO 8601."""
    assert expected == parse_duration(text)


@pytest.mark.parametrize(
    "text",
    ["", " ", "h", "15 m", "1y", "m15", "15m!", "P", "PT", "PTH", "1e3", "inf", "nan", "-5", "٣s"],
)
def test_what_is_no_duration_is_refused(text: str) -> None:
    """A text that spells no duration is an error, never a guess."""
    with pytest.raises(ValueError, match="is not a duration"):
        parse_duration(text)


@given(st.integers(min_value=0, max_value=10**12))
def test_every_duration_that_is_written_reads_back_the_same(milliseconds: int) -> None:
    """A duration in a message can be put back into the variable."""
    duration = timedelta(milliseconds=milliseconds)

    assert duration == parse_duration(format_duration(duration))


@given(st.text(max_size=40))
def test_no_text_makes_the_parser_fail_in_another_way(text: str) -> None:
    """Any text either is a duration or is refused with ValueError."""
    try:
        parsed = parse_duration(text)
    except ValueError:
        return

    assert isinstance(parsed, timedelta)
