"""One line of the table: a promise, and what was seen of it."""

from collections.abc import Sequence

import msgspec


class Row(msgspec.Struct, frozen=True):
    """The attempt, the requirement, the observation, and whether the requirement holds."""

    what: str
    must: str
    seen: str
    holds: bool


def table(rows: Sequence[Row]) -> str:
    """Return the rows as a Markdown table."""
    lines = ["| what | must hold | seen | ok |", "|---|---|---|---|"]
    for row in rows:
        verdict = "yes" if row.holds else "**NO**"
        lines.append(f"| {row.what} | {row.must} | {row.seen} | {verdict} |")
    return "\n".join(lines)
