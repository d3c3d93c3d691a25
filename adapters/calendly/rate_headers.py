"""Calendly's rate limit headers.

`X-RateLimit-Limit`, `-Remaining` and `-Reset` (seconds) come with every answer (Calendly: API
limits). `Retry-After` is not documented, but honoured where it is sent.
"""

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import NamedTuple

DEFAULT_WAIT = 60.0  # Calendly: the reset is "typically 60"
LONGEST_WAIT = 3600.0
_NONSENSE = 86400.0  # beyond a day it is not a wait but, for example, a UNIX time


class RateState(NamedTuple):
    """A user's limit: requests a window, requests left, seconds until the next window."""

    limit: int
    remaining: int
    reset: float


def rate_state(headers: Mapping[str, str]) -> RateState | None:
    """Return what an answer says, or None when it does not say it in full."""
    limit, remaining = (
        _count(headers, "x-ratelimit-limit"),
        _count(headers, "x-ratelimit-remaining"),
    )
    if limit is None or remaining is None or limit < 1:
        return None
    reset = _seconds(headers.get("x-ratelimit-reset"))
    return RateState(limit, min(remaining, limit), min(reset or DEFAULT_WAIT, DEFAULT_WAIT))


def retry_after(headers: Mapping[str, str]) -> float:
    """Return how long a 429 asks to wait: seconds, from 1 to 3600; 60 where it does not say."""
    asked = _seconds(headers.get("retry-after"))
    if asked is None:
        asked = _until(headers.get("retry-after"), headers.get("date"))
    if asked is None:
        asked = _seconds(headers.get("x-ratelimit-reset"))
    return min(max(DEFAULT_WAIT if asked is None else asked, 1.0), LONGEST_WAIT)


def _count(headers: Mapping[str, str], name: str) -> int | None:
    text = headers.get(name, "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 9 else None  # noqa: PLR2004


def _seconds(text: str | None) -> float | None:
    try:
        seconds = float(text) if text else math.nan
    except ValueError:
        return None
    return seconds if 0 <= seconds <= _NONSENSE else None


def _until(text: str | None, sent: str | None) -> float | None:
    """Seconds between the answer's own Date and a Retry-After date (RFC 9110, 10.2.3)."""
    until, start = _date(text), _date(sent)
    return None if until is None or start is None else (until - start).total_seconds()


def _date(text: str | None) -> datetime | None:
    try:
        parsed = parsedate_to_datetime(text) if text else None
    except ValueError:
        return None
    return parsed if parsed is None or parsed.tzinfo else parsed.replace(tzinfo=UTC)
