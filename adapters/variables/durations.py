"""Durations in the forms of a configuration: `90`, `60s`, `1h15m`, `PT24H`.

A number without a unit is seconds.
"""

import re
from datetime import timedelta

import msgspec

_UNITS = {
    "d": timedelta(days=1),
    "h": timedelta(hours=1),
    "m": timedelta(minutes=1),
    "s": timedelta(seconds=1),
    "ms": timedelta(milliseconds=1),
}
_PART = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,6})?)(ms|[dhms])")
_SECONDS = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,6})?")
_COMPOSED = re.compile(rf"(?:{_PART.pattern})+")


def parse_duration(text: str) -> timedelta:
    """Return the duration that a text spells: seconds, units (`1h30m`) or ISO 8601 (`PT24H`).

    Raises:
        ValueError: it is not a duration, or longer than timedelta can hold.

    """
    plain = text.strip().lower()
    try:
        if _SECONDS.fullmatch(plain):
            return timedelta(seconds=float(plain))
        if _COMPOSED.fullmatch(plain):
            parts = _PART.findall(plain)
            return sum((float(count) * _UNITS[unit] for count, unit in parts), timedelta())
        if plain.startswith("p"):
            return msgspec.convert(plain.upper(), timedelta, strict=False)
    except (OverflowError, msgspec.ValidationError):
        pass
    raise ValueError(f"{text!r} is not a duration")


def format_duration(duration: timedelta) -> str:
    """Return the shortest text that `parse_duration` reads back, to the millisecond."""
    left = duration
    spelled = ""
    for unit, size in _UNITS.items():
        count, left = divmod(left, size)
        spelled += f"{count}{unit}" if count else ""
    return spelled or "0s"
