"""`python -m tests.faults`: run the scenarios at their full sizes and print the table."""

import asyncio
import os
import sys
import time
from collections.abc import Sequence

import click

from tests.faults import scenarios
from tests.faults.calendly import SWITCHES
from tests.faults.row import Row, table


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(sorted(scenarios.SCENARIOS)))
@click.option("--scale", default=1.0, show_default=True, help="Part of the full size.")
@click.option("--switch", "switches", multiple=True, help="A sandbox switch to turn on.")
def main(names: tuple[str, ...], scale: float, switches: tuple[str, ...]) -> None:
    """Run the scenarios NAMES, or all, one after the other; exit 1 where a row falls short."""
    os.environ[SWITCHES] = ",".join(switches)
    rows: list[Row] = []
    for name in names or tuple(scenarios.SCENARIOS):
        began = time.monotonic()
        click.echo(f"{name} …", err=True)
        rows += asyncio.run(scenarios.run(name, scale))
        click.echo(f"{name}: {time.monotonic() - began:.0f} s", err=True)
    sys.exit(report(rows))


def report(rows: Sequence[Row]) -> int:
    """Print the table; return 1 where a row falls short, else 0."""
    click.echo(table(rows))
    return 0 if all(row.holds for row in rows) else 1


if __name__ == "__main__":
    main(prog_name="python -m tests.faults")
