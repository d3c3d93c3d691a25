"""`python -m bench.tokens`: measure and print; exit 1 if a check fails."""

import asyncio
from collections.abc import Sequence

import asyncpg
import click
import msgspec

from adapters.persistence.migrate import migrate
from bench.report import Check, print_and_exit
from bench.stack import Stack
from bench.tokens import claims, history, memory, throughput
from bench.tokens.population import open_token_stack, populate
from domain.secret import Secret

MEASUREMENTS = ("throughput", "history", "memory", "claims")


class Sizes(msgspec.Struct, frozen=True):
    """The size of each measurement: see the options."""

    rows: int
    rounds: int
    few: int
    many: int
    table: int

    def users(self, measurements: Sequence[str]) -> int:
        """Return how many integrations these measurements need."""
        return max(self.rows, self.many if "memory" in measurements else 0)


@click.command()
@click.argument("measurements", nargs=-1, type=click.Choice(MEASUREMENTS))
@click.option("--rows", default=10_000, show_default=True, help="Integrations that are due.")
@click.option("--rounds", default=5, show_default=True, help="Rounds of each variant.")
@click.option("--few", default=1_000, show_default=True, help="Rows of the smaller memory run.")
@click.option("--many", default=100_000, show_default=True, help="Rows of the larger one.")
@click.option("--table", default=100_000, show_default=True, help="Rows to claim among.")
def main(measurements: tuple[str, ...], **sizes: int) -> None:
    """Run MEASUREMENTS, or all."""
    print_and_exit(asyncio.run(_measure(measurements or MEASUREMENTS, Sizes(**sizes))))


async def _measure(measurements: Sequence[str], sizes: Sizes) -> list[Check]:
    checks, users = [], sizes.users(measurements)
    async with open_token_stack(users) as stack:
        if set(measurements) - {"claims"}:
            _print(f"connecting {users:,} integrations …")
            await populate(stack, users)
        if "throughput" in measurements:
            checks.append(await _throughput(stack, sizes.rows, sizes.rounds))
        if "history" in measurements:
            _print("history …")
            with stack.worker(PAGE_SIZE=str(history.MEASURED_PAGE)):
                checks.append(await history.check(stack))
        if "memory" in measurements:
            _print(f"memory at {sizes.few:,} and {sizes.many:,} rows …")
            with stack.worker() as worker:
                checks.append(await memory.check(stack, worker, (sizes.few, sizes.many)))
        if "claims" in measurements:
            _print(f"claims among {sizes.table:,} rows …")
            checks.append(await _claims(stack, sizes.table))
    return checks


async def _throughput(stack: Stack, rows: int, rounds: int) -> Check:
    _print(f"{rounds} rounds of {rows // rounds:,} exchanges each …")
    with stack.worker() as worker:
        bare, service = await throughput.compare(stack, worker, rows, rounds)
    check = await throughput.check(stack, bare, service)
    alone = await throughput.without_temporal(stack, rows, rounds)
    for variant in (bare, service, alone):
        _print(variant.describe("an exchange"))
    return check


async def _claims(stack: Stack, rows: int) -> Check:
    async with stack.connection() as connection:
        await connection.execute("CREATE DATABASE claims")
    address = stack.postgres.dsn_of("claims")
    await migrate(Secret(address))
    connection = await asyncpg.connect(address)
    check = await claims.check(connection, rows, due=rows // 100)
    await connection.close()
    return check


def _print(line: str) -> None:
    click.echo(line, err=True)


if __name__ == "__main__":
    main(prog_name="python -m bench.tokens")
