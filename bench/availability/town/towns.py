"""A day in several towns side by side, each a process of its own.

`python -m bench.availability.town.towns` is one of them: a line of JSON in (`Order`), a line of
JSON out (`Seen`).
"""

import asyncio
import sys
from functools import reduce

import msgspec
import uvloop

from adapters.local_stack.processes.environment import plain_environment
from bench.answering import answer_each_line, answering
from bench.availability.town.day import Seen, Size, play

_ARGV = (sys.executable, "-m", "bench.availability.town.towns")


class Order(msgspec.Struct):
    """Which day, and which of its towns."""

    size: Size
    town: int


async def play_all(size: Size) -> Seen:
    """Play all towns at the same time; what they came to together."""
    found = await asyncio.gather(*(_elsewhere(size, town) for town in range(size.towns)))
    return reduce(Seen.plus, found)


async def _elsewhere(size: Size, town: int) -> Seen:
    async with answering(_ARGV, plain_environment()) as child:
        return msgspec.convert(await child.ask(msgspec.to_builtins(Order(size, town))), Seen)


if __name__ == "__main__":
    uvloop.run(answer_each_line(Order, lambda order: play(order.size, order.town)))
