"""Tables in Markdown, and checks of what was measured against what is required."""

import sys
from collections.abc import Iterable, Mapping, Sequence

import click
import msgspec


class Check(msgspec.Struct, frozen=True):
    """A requirement, what was measured, and whether that is enough."""

    subject: str
    requirement: str
    measured: str
    passed: bool


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown whose columns, except the first, are aligned right."""
    ruler = f"|---|{'---:|' * (len(head) - 1)}"
    return "\n".join([_line(head), ruler, *map(_line, rows)])


def check_table(checks: Iterable[Check]) -> str:
    """Return the checks as a table in Markdown."""
    rows = [
        (each.subject, each.requirement, each.measured, "ok" if each.passed else "FAILED")
        for each in checks
    ]
    head = ("subject", "requirement", "measured", "")
    return "\n".join(map(_line, [head, ("---",) * len(head), *rows]))


def print_and_exit(checks: Sequence[Check]) -> None:
    """Print the checks and end this process: status 0 if all passed, else 1."""
    click.echo(check_table(checks))
    sys.exit(0 if all(each.passed for each in checks) else 1)


def counts(counted: Mapping[str, int]) -> str:
    """Return each name with its count, in the order of the names."""
    return ", ".join(f"{name} {count:,}" for name, count in sorted(counted.items()))


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
