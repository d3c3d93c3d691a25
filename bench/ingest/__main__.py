"""`python -m bench.ingest`: measure and print; exit 1 if a check fails."""

import asyncio

import click

from bench.ingest.checks import figures
from bench.ingest.measure import Size, measure
from bench.report import print_and_exit


@click.command()
@click.option("--requests", default=4_000, show_default=True, help="Requests of each turn.")
@click.option("--rounds", default=3, show_default=True, help="Turns of each server.")
@click.option("--connections", default=32, show_default=True, help="Connections of the sender.")
@click.option("--hosts", default=200, show_default=True, help="Integrations delivered to.")
@click.option("--pgbench-seconds", default=5, show_default=True, help="0 leaves it out.")
def main(**sizes: int) -> None:
    """Compare group commit with one transaction a request, in turns of the same run."""
    measured = asyncio.run(measure(Size(**sizes)))
    click.echo(f"{figures(measured.variants, measured.memory, measured.inserted)}\n")
    print_and_exit(measured.checks)


if __name__ == "__main__":
    main(prog_name="python -m bench.ingest")
