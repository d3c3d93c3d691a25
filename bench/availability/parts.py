"""The parts of the measurement, each with its sizes."""

from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, NamedTuple

from bench.availability import cold
from bench.availability.reads import judging as reads_judging
from bench.availability.reads import turns as reads
from bench.availability.sync import judging as sync_judging
from bench.availability.sync import turns as sync
from bench.availability.town import day, down, towns
from bench.availability.town import judging as day_judging
from bench.row import Row
from bench.stage import Stage, staged


class Found(NamedTuple):
    """What a part came to: rows, and what else it has to show."""

    rows: Sequence[Row]
    figures: str = ""


async def _reads(scale: float) -> Found:
    load = reads.Load(requests=_part(8_000, scale))
    async with staged(Stage) as stage:
        seen = await reads.measure(stage, load)
    return Found(reads_judging.rows(seen, load), reads_judging.figures(seen))


async def _cold(scale: float) -> Found:
    size = cold.Size(readers=max(cold.FEWEST, _part(500, scale)))
    return Found([cold.row(size, await cold.measure(size))])


async def _day(scale: float) -> Found:
    # Fewer are played of as many: what a user costs depends on how often it is read.
    size = day.Size(every=round(day.Size().every / min(scale, 1.0)))
    seen = await towns.play_all(size)
    return Found([day_judging.row(size, seen)], day_judging.figures(seen))


async def _sync(scale: float) -> Found:
    size = sync.Size(users=_part(10_000, scale), few=_part(1_000, scale))
    seen = await sync.measure(size)
    return Found([sync_judging.row(size, seen)], sync_judging.figures(seen))


async def _down(scale: float) -> Found:
    size = down.Size(users=_part(1_000, scale), reads=_part(15_000, scale))
    return Found([down.row(size, await down.play(size))])


PARTS: Mapping[str, Callable[[float], Coroutine[Any, Any, Found]]] = {
    "reads": _reads,
    "cold": _cold,
    "day": _day,
    "sync": _sync,
    "down": _down,
}


def _part(full: int, scale: float) -> int:
    return max(8, round(full * scale))
