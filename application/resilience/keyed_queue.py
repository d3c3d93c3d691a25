"""Work in queues by key: sequential within a key, concurrent across keys, up to a number.

An item that waits delays its own key only, and uses one of the slots that all keys share.
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
    """Bounds how much work runs concurrently.

    Args:
        work: what is done with an item.
        queue_key: returns the key of an item; items of one key follow each other.
        at_once: keys that are worked concurrently.
        most_waiting: items under way at most, waiting ones included.

    """

    def __init__(
        self,
        work: Callable[[Item], Awaitable[Result]],
        *,
        queue_key: Callable[[Item], Hashable],
        at_once: int,
        most_waiting: int,
    ) -> None:
        self._work = work
        self._queue_key = queue_key
        self._slots = asyncio.Semaphore(at_once)
        self._most_waiting = most_waiting
        self._under_way = 0
        # A key's lock exists as long as an item of the key waits or runs.
        self._locks: WeakValueDictionary[Hashable, asyncio.Lock] = WeakValueDictionary()

    async def __call__(self, item: Item) -> Result:
        """Do the work after earlier items of its key; raises what it raises.

        Raises:
            StorageUnavailable: too many wait already; nothing was done.

        """
        if self._under_way >= self._most_waiting:
            raise StorageUnavailable(
                "More arrives than can be stored at the moment.", retry_after=RETRY_AFTER
            )
        key_lock = self._locks.setdefault(self._queue_key(item), asyncio.Lock())
        self._under_way += 1
        try:
            # The key's lock first: an item that waits for it takes no slot from other keys.
            async with key_lock, self._slots:
                return await self._work(item)
        finally:
            self._under_way -= 1
