"""A bounded number of concurrent reads, which end at the first failure."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

In = TypeVar("In")
Out = TypeVar("Out")


async def each(
    items: Iterable[In], work: Callable[[In], Awaitable[Out]], *, at_once: int
) -> list[Out]:
    """Return the result of `work` for each item, in the items' order.

    Args:
        items: the inputs.
        work: reads for one item.
        at_once: the maximal number of concurrent reads.

    Raises:
        Exception: the first failure unchanged; the other reads are canceled and awaited.

    """
    gate = asyncio.Semaphore(at_once)

    async def one(item: In) -> Out:
        async with gate:
            return await work(item)

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(item)) for item in items]
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from None
    return [task.result() for task in tasks]
