"""`python -m bench.tokens`: measure everything, print it, exit 1 where a floor is not reached."""

import asyncio
import sys
from collections.abc import Sequence

import asyncpg
import click
import msgspec

from adapters.persistence.migrate import migrate
from bench.row import Row, table
from bench.tokens import claims, history, memory, throughput
from bench.tokens.population import populate
from bench.tokens.stage import Stage, open_stage
from domain.secret import Secret

PARTS = ("throughput", "history", "memory", "claims")


class Sizes(msgspec.Struct, frozen=True):
    """How much is measured: see the options."""

    rows: int
    rounds: int
    few: int
    many: int
    table: int

    def users(self, parts: Sequence[str]) -> int:
        """Return how many integrations these parts need."""
        return max(self.rows, self.many if "memory" in parts else 0)


@click.command()
@click.argument("parts", nargs=-1, type=click.Choice(PARTS))
@click.option("--rows", default=10_000, show_default=True, help="Integrations that are due.")
@click.option("--rounds", default=5, show_default=True, help="Turns of each side.")
@click.option("--few", default=1_000, show_default=True, help="Rows of the smaller memory run.")
@click.option("--many", default=100_000, show_default=True, help="Rows of the larger one.")
@click.option("--table", default=100_000, show_default=True, help="Rows to claim among.")
def main(parts: tuple[str, ...], **sizes: int) -> None:
    """Measure PARTS, or all."""
    judged = asyncio.run(_measure(parts or PARTS, Sizes(**sizes)))
    click.echo(table(judged))
    sys.exit(0 if all(row.holds for row in judged) else 1)


async def _measure(parts: Sequence[str], sizes: Sizes) -> list[Row]:
    judged, users = [], sizes.users(parts)
    async with open_stage(users=users) as stage:
        if set(parts) - {"claims"}:
            _say(f"connecting {users:,} integrations …")
            await populate(stage, users)
        if "throughput" in parts:
            judged.append(await _throughput(stage, sizes.rows, sizes.rounds))
        if "history" in parts:
            _say("history …")
            with stage.worker(PAGE_SIZE=str(history.MEASURED_PAGE)):
                judged.append(await history.row(stage))
        if "memory" in parts:
            _say(f"memory at {sizes.few:,} and {sizes.many:,} rows …")
            with stage.worker() as worker:
                judged.append(await memory.row(stage, worker, (sizes.few, sizes.many)))
        if "claims" in parts:
            _say(f"claims among {sizes.table:,} rows …")
            judged.append(await _claims(stage, sizes.table))
    return judged


async def _throughput(stage: Stage, rows: int, rounds: int) -> Row:
    _say(f"{rounds} turns of {rows // rounds:,} exchanges each …")
    with stage.worker() as worker:
        bare, service = await throughput.compare(stage, worker, rows, rounds)
    judged = await throughput.row(stage, bare, service)
    alone = await throughput.use_case(stage, rows, rounds)
    for side in (bare, service, alone):
        _say(side.described("an exchange"))
    return judged


async def _claims(stage: Stage, rows: int) -> Row:
    connection = await asyncpg.connect(stage.postgres.dsn)
    await connection.execute("CREATE DATABASE claims")
    await connection.close()
    address = stage.postgres.dsn_of("claims")
    await migrate(Secret(address))
    connection = await asyncpg.connect(address)
    judged = await claims.row(connection, rows, due=rows // 100)
    await connection.close()
    return judged


def _say(line: str) -> None:
    click.echo(line, err=True)


if __name__ == "__main__":
    main(prog_name="python -m bench.tokens")
