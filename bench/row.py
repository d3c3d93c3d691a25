"""One line of a table of what must hold and what was seen."""

from collections.abc import Sequence

import msgspec


class Row(msgspec.Struct, frozen=True):
    """A floor, and what was measured against it."""

    what: str
    must: str
    seen: str
    holds: bool


def table(rows: Sequence[Row]) -> str:
    """Return the rows as a table in Markdown."""
    lines = [
        f"| {row.what} | {row.must} | {row.seen} | {'ok' if row.holds else 'SHORT'} |"
        for row in rows
    ]
    return "\n".join(["| what | must hold | seen | |", "|---|---|---|---|", *lines])
