"""What the page says about the way a connect flow ended."""

import msgspec

from adapters.web.errors.problem_table import PROBLEMS

_GOOD = {
    "connected": "Connected. Event types and bookings are being fetched.",
    "disconnected": "Disconnecting. The tokens are revoked and everything is erased.",
}


class Notice(msgspec.Struct, frozen=True):
    """A line at the top of the page."""

    good: bool
    text: str


def notice_of(outcome: str | None) -> Notice | None:
    """Return the notice of a known outcome; a text we do not know is not repeated."""
    if outcome in _GOOD:
        return Notice(good=True, text=_GOOD[outcome])
    titles = {each.code: row.title for each, row in PROBLEMS.items()}
    return Notice(good=False, text=f"{titles[outcome]}.") if outcome in titles else None
