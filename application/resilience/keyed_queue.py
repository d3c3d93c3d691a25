"""Work in lanes: one after the other within a lane, several lanes at once, up to a number.

Who stands still holds up the own lane alone, and one place of those that all lanes share.
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar
from weakref import WeakValueDictionary

from domain.errors import StorageUnavailable

Item = TypeVar("Item")
Result = TypeVar("Result")

RETRY_AFTER = 1.0


class KeyedQueue(Generic[Item, Result]):
    """Bounds how much of some work goes on at once.

    Args:
        work: what is done with an item.
        lane: tells which items follow each other.
        at_once: lanes that are worked at the same moment.
        most_waiting: items under way at most, waiting ones included.

    """

    def __init__(
        self,
        work: Callable[[Item], Awaitable[Result]],
        *,
        lane: Callable[[Item], Hashable],
        at_once: int,
        most_waiting: int,
    ) -> None:
        self._work = work
        self._lane = lane
        self._places = asyncio.Semaphore(at_once)
        self._most_waiting = most_waiting
        self._under_way = 0
        # A lane lasts for as long as somebody is in it.
        self._queue: WeakValueDictionary[Hashable, asyncio.Lock] = WeakValueDictionary()

    async def __call__(self, item: Item) -> Result:
        """Do the work when its turn comes; raises what it raises.

        Raises:
            StorageUnavailable: too many wait already; nothing was done.

        """
        if self._under_way >= self._most_waiting:
            raise StorageUnavailable(
                "More arrives than can be stored at the moment.", retry_after=RETRY_AFTER
            )
        lane = self._queue.setdefault(self._lane(item), asyncio.Lock())
        self._under_way += 1
        try:
            # The lane first: who waits in one takes no place from the others.
            async with lane, self._places:
                return await self._work(item)
        finally:
            self._under_way -= 1
