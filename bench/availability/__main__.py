"""`python -m bench.availability`: measure, print it, exit 1 where a floor is not reached."""

import sys
import time

import click
import uvloop

from bench.availability.parts import PARTS
from bench.row import Row, table


@click.command()
@click.argument("parts", nargs=-1, type=click.Choice(list(PARTS)))
@click.option("--scale", default=1.0, show_default=True, help="Share of the full sizes.")
def main(parts: tuple[str, ...], scale: float) -> None:
    """Measure PARTS, or all; at full size all of them take about half an hour."""
    judged: list[Row] = []
    for name in parts or PARTS:
        click.echo(f"{name} …", err=True)
        started = time.perf_counter()
        found = uvloop.run(PARTS[name](scale))
        judged += found.rows
        click.echo(f"{found.figures}\n({time.perf_counter() - started:.0f} s)\n", err=True)
    click.echo(table(judged))
    sys.exit(0 if all(row.holds for row in judged) else 1)


if __name__ == "__main__":
    main(prog_name="python -m bench.availability")
