"""`python -m bench.availability`: measure and print; exit 1 if a check fails."""

import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any

import click
import uvloop
from msgspec.structs import replace

from bench.availability import cold, day, outage, reads, sync
from bench.report import Check, print_and_exit
from bench.stack import open_stack

Outcome = tuple[Sequence[Check], str]


async def _reads(scale: float) -> Outcome:
    size = reads.Size(requests=_scaled(8_000, scale))
    async with open_stack() as stack:
        measured = await reads.measure(stack, size)
    return reads.checks(measured, size), reads.figures(measured)


async def _cold(scale: float) -> Outcome:
    size = cold.Size()
    size = replace(size, readers=max(size.fewest, _scaled(size.readers, scale)))
    return [cold.check(size, await cold.measure(size))], ""


async def _day(scale: float) -> Outcome:
    # Fewer of as many users are simulated: the calls of a user depend on how often it is read.
    size = day.Size(every=round(day.Size().every / min(scale, 1.0)))
    result = await day.simulate_all(size)
    return [day.check(size, result)], day.figures(result)


async def _sync(scale: float) -> Outcome:
    size = sync.Size(users=_scaled(10_000, scale), few=_scaled(1_000, scale))
    measured = await sync.measure(size)
    return [sync.check(size, measured)], measured.figures()


async def _outage(scale: float) -> Outcome:
    size = outage.Size(users=_scaled(1_000, scale), reads=_scaled(15_000, scale))
    return [await outage.measure(size)], ""


def _scaled(full: int, scale: float) -> int:
    return max(8, round(full * scale))


MEASUREMENTS: Mapping[str, Callable[[float], Coroutine[Any, Any, Outcome]]] = {
    "reads": _reads,
    "cold": _cold,
    "day": _day,
    "sync": _sync,
    "outage": _outage,
}


@click.command()
@click.argument("measurements", nargs=-1, type=click.Choice(list(MEASUREMENTS)))
@click.option("--scale", default=1.0, show_default=True, help="Share of the full sizes.")
def main(measurements: tuple[str, ...], scale: float) -> None:
    """Run MEASUREMENTS, or all; at full size all of them take about half an hour."""
    checks: list[Check] = []
    for name in measurements or MEASUREMENTS:
        click.echo(f"{name} …", err=True)
        started = time.perf_counter()
        outcome, figures = uvloop.run(MEASUREMENTS[name](scale))
        checks += outcome
        click.echo(f"{figures}\n({time.perf_counter() - started:.0f} s)\n", err=True)
    print_and_exit(checks)


if __name__ == "__main__":
    main(prog_name="python -m bench.availability")
