"""`python -m bench.ingest`: measure, print it, exit 1 where a floor is not reached."""

import asyncio
import sys
from collections.abc import Sequence

import click
import msgspec

from bench.ingest.ceilings import Inserted, pgbench
from bench.ingest.judging import figures, judged
from bench.ingest.server import Mode
from bench.ingest.stage import Stage, open_stage
from bench.ingest.turns import Load, take_turns
from bench.row import Row, table
from bench.turns import Side


class Measured(msgspec.Struct, frozen=True):
    """Everything that was seen."""

    sides: dict[Mode, Side]
    inserted: Inserted | None
    rows: Sequence[Row]


@click.command()
@click.option("--requests", default=4_000, show_default=True, help="Requests of each turn.")
@click.option("--rounds", default=3, show_default=True, help="Turns of each server.")
@click.option("--connections", default=32, show_default=True, help="Connections of the sender.")
@click.option("--hosts", default=200, show_default=True, help="Integrations delivered to.")
@click.option("--pgbench-seconds", default=5, show_default=True, help="0 leaves it out.")
def main(requests: int, rounds: int, connections: int, hosts: int, pgbench_seconds: int) -> None:
    """Compare group commit with one transaction a request, in turns of the same run."""
    load = Load(rounds=rounds, requests=requests, connections=connections)
    seen = asyncio.run(measure(load, hosts, pgbench_seconds))
    click.echo(figures(seen.sides, seen.inserted))
    click.echo()
    click.echo(table(seen.rows))
    sys.exit(0 if all(row.holds for row in seen.rows) else 1)


async def measure(load: Load, hosts: int, pgbench_seconds: int) -> Measured:
    """Take all turns, then the ceilings of PostgreSQL; 0 seconds leave those out."""
    async with open_stage() as stage:
        sides = await _sides(stage, load, hosts)
        sent = 2 * (load.rounds * load.requests + load.warming)
        rows = judged(sides, await stage.stored(), sent)
        inserted = None
        if pgbench_seconds:
            inserted = await pgbench(stage, connections=load.connections, seconds=pgbench_seconds)
    return Measured(sides, inserted, rows)


async def _sides(stage: Stage, load: Load, hosts: int) -> dict[Mode, Side]:
    to = await stage.hosts(hosts)
    with stage.servers(Mode) as servers:
        return await take_turns(stage, servers, to, load)


if __name__ == "__main__":
    main(prog_name="python -m bench.ingest")
