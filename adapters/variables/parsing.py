"""Parsers of single values: text in, value out, ValueError with the fault.

The message completes a sentence that begins with the variable's name, and quotes no secret.
"""

import re
from collections.abc import Callable
from datetime import timedelta
from urllib.parse import SplitResult, urlsplit

from adapters.variables.durations import format_duration, parse_duration
from adapters.variables.loopback import is_loopback

_ADDRESS = re.compile(r"(\[[0-9a-fA-F:.]+\]|[^\s:/@\[\]]+):([0-9]{1,5})")
HIGHEST_PORT = 65_535


def text(at_most: int) -> Callable[[str], str]:
    """Read a text of up to `at_most` characters."""

    def parse(value: str) -> str:
        if len(value) > at_most:
            raise ValueError(f"is {len(value)} characters long, {at_most} are allowed")
        return value

    return parse


def one_of(*choices: str) -> Callable[[str], str]:
    """Read one word of a closed set, in any case."""

    def parse(value: str) -> str:
        if value.lower() not in choices:
            raise ValueError(f"is {value!r}, which is none of {', '.join(choices)}")
        return value.lower()

    return parse


def whole_number(at_least: int, at_most: int) -> Callable[[str], int]:
    """Read a whole number within bounds, both included."""

    def parse(value: str) -> int:
        if not re.fullmatch(r"[0-9]{1,18}", value):
            raise ValueError(f"is {value!r}, which is not a whole number")
        if not at_least <= int(value) <= at_most:
            raise ValueError(f"is {value}, outside {at_least} to {at_most}")
        return int(value)

    return parse


def duration(at_least: timedelta, at_most: timedelta) -> Callable[[str], timedelta]:
    """Read a duration within bounds, both included."""

    def parse(value: str) -> timedelta:
        try:
            parsed = parse_duration(value)
        except ValueError:
            raise ValueError(f"is {value!r}, which is not a duration") from None
        if not at_least <= parsed <= at_most:
            bounds = f"{format_duration(at_least)} to {format_duration(at_most)}"
            raise ValueError(f"is {value}, outside {bounds}")
        return parsed

    return parse


def durations(at_least: timedelta, at_most: timedelta) -> Callable[[str], tuple[timedelta, ...]]:
    """Read a comma-separated list of durations within bounds, both included."""
    parse = duration(at_least, at_most)
    return lambda value: tuple(parse(part.strip()) for part in value.split(","))


def http_url(value: str) -> str:
    """Read an http or https address; the trailing slash is removed."""
    parts = _split_http(value)
    if parts.query or parts.fragment:
        raise ValueError("must be an address without query or fragment")
    return value.rstrip("/")


def secure_url(value: str) -> str:
    """Read an https address, or an http one on this machine: elsewhere http shows every secret."""
    if not value.startswith("https://") and not is_loopback(http_url(value)):
        raise ValueError("is http, which is refused beyond this machine")
    return http_url(value)


def origins(value: str) -> tuple[str, ...]:
    """Read a comma-separated list of origins (RFC 6454): scheme, host and port, no path."""
    listed = tuple(part.strip().rstrip("/") for part in value.split(",") if part.strip())
    for origin in listed:
        parts = _split_http(origin)
        if parts.path or parts.query or parts.fragment:
            raise ValueError(f"holds {origin!r}, which has more than scheme, host and port")
    return listed


def address(value: str) -> str:
    """Read `host:port`, without a scheme."""
    match = _ADDRESS.fullmatch(value)
    if match is None or not 0 < int(match[2]) <= HIGHEST_PORT:
        raise ValueError("is not host:port")
    return value


def _split_http(value: str) -> SplitResult:
    """Split an http(s) address; never quotes one that may hold a password."""
    if "@" in value:
        raise ValueError("must be an address without user name, password or @")
    try:
        parts = urlsplit(value)
        _ = parts.port  # raises when the port is not a number
    except ValueError:
        raise ValueError(f"is {value!r}, which is not a URL") from None
    if parts.scheme not in {"http", "https"} or not parts.hostname or re.search(r"\s", value):
        raise ValueError(f"is {value!r}, which is not an http(s) URL")
    return parts
