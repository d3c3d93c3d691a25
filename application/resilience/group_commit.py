"""Writes that come together share one transaction.

While one group is being written the next one gathers. So a write waits for one other at most, and
does not wait if it is alone. Each caller is answered after the commit.
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Sequence
from contextvars import Context
from typing import Generic, NamedTuple, TypeVar

from domain.errors import SlotkeeperError, StorageContended, StorageUnavailable

Item = TypeVar("Item")
Result = TypeVar("Result")

# Seconds after which a refused caller may retry: many groups are written by then.
RETRY_AFTER = 1.0


class _Waiting(NamedTuple, Generic[Item, Result]):
    item: Item
    answer: asyncio.Future[Result]


class GroupCommit(Generic[Item, Result]):
    """Gathers items and writes them, group after group.

    Args:
        write: stores all items in one transaction and returns a result for each, in their order;
            when it raises, nothing of them counts as stored.
        singly: stores one item after its group failed for a reason other than an outage, a held
            lock included. All items of a group are passed to it concurrently, so it limits itself. None
            means that `write` is given each item alone, one after the other, if the store refused the
            group or was contended.
        key: what an item is about. A group holds one item of a key: what follows it must see it.
            None means that any two items may be in one group.
        at_most: items in a group.
        most_waiting: items that wait for their group at most; None means any number.
        turns: of the event loop without a newcomer, after which a group is closed. They let in
            what has arrived and was not looked at yet; no time is waited for.

    """

    def __init__(
        self,
        write: Callable[[Sequence[Item]], Awaitable[Sequence[Result]]],
        *,
        singly: Callable[[Item], Awaitable[Result]] | None = None,
        key: Callable[[Item], Hashable] | None = None,
        at_most: int = 100,
        most_waiting: int | None = None,
        turns: int = 0,
    ) -> None:
        self._write = write
        self._singly = singly
        self._key = key
        self._at_most = at_most
        self._most_waiting = most_waiting
        self._turns = turns
        self._waiting: list[_Waiting[Item, Result]] = []
        self._writer: asyncio.Task[None] | None = None

    async def __call__(self, item: Item) -> Result:
        """Write an item with those that arrive until then; raises what `write` or `singly` raises.

        If canceled, the item may still be written.

        Raises:
            StorageUnavailable: too many wait already; nothing of the item was kept.

        """
        if self._most_waiting is not None and len(self._waiting) >= self._most_waiting:
            raise StorageUnavailable(
                "More arrives than can be stored at the moment.", retry_after=RETRY_AFTER
            )
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Result] = loop.create_future()
        self._waiting.append(_Waiting(item, answer))
        if self._writer is None:
            # A context of its own: the writer serves others than the one who woke it.
            self._writer = loop.create_task(self._write_all(), context=Context())
        return await answer

    async def _write_all(self) -> None:
        group: Sequence[_Waiting[Item, Result]] = []
        try:
            while self._waiting:
                group = []
                await self._let_in()
                group = self._next_group()
                await self._write_group(group)
        except BaseException as error:
            # The process ends, or `write` is broken: no caller may wait forever.
            _fail([*group, *self._waiting], error)
            self._waiting.clear()
            if not isinstance(error, Exception):
                raise
        finally:
            self._writer = None

    async def _let_in(self) -> None:
        seen, quiet = len(self._waiting), 0
        while quiet < self._turns and seen < self._at_most:
            await asyncio.sleep(0)
            quiet = quiet + 1 if len(self._waiting) == seen else 0
            seen = len(self._waiting)

    def _next_group(self) -> Sequence[_Waiting[Item, Result]]:
        if self._key is None:
            group = self._waiting[: self._at_most]
            del self._waiting[: self._at_most]
            return group
        return self._next_distinct(self._key)

    def _next_distinct(
        self, key_of: Callable[[Item], Hashable]
    ) -> Sequence[_Waiting[Item, Result]]:
        group: dict[Hashable, _Waiting[Item, Result]] = {}
        left = []
        for one in self._waiting:
            key = key_of(one.item)
            if key in group or len(group) == self._at_most:
                left.append(one)
            else:
                group[key] = one
        self._waiting = left
        return list(group.values())

    async def _write_group(self, group: Sequence[_Waiting[Item, Result]]) -> None:
        try:
            results = await self._write([one.item for one in group])
        except StorageContended as error:
            # The store is well, and the lock concerns few items of the group.
            await self._write_each(group, error)
        except StorageUnavailable as error:
            _fail(group, error)
        except Exception as error:  # noqa: BLE001 - it reaches each caller, or is raised again
            await self._write_each(group, error)
        else:
            for one, result in zip(group, results, strict=True):
                _answer(one, result)

    async def _write_each(self, group: Sequence[_Waiting[Item, Result]], error: Exception) -> None:
        """Write alone what failed together: a bad one must not cost the others their commit."""
        if self._singly is not None:
            await asyncio.gather(*(_written(one, self._singly) for one in group))
        elif not isinstance(error, SlotkeeperError):
            raise error
        elif len(group) == 1:
            _fail(group, error)
        else:
            for one in group:
                await self._write_group([one])


async def _written(
    one: _Waiting[Item, Result], singly: Callable[[Item], Awaitable[Result]]
) -> None:
    try:
        result = await singly(one.item)
    except Exception as error:  # noqa: BLE001 - it reaches the caller
        _fail([one], error)
    else:
        _answer(one, result)


def _answer(one: _Waiting[Item, Result], result: Result) -> None:
    if not one.answer.done():
        one.answer.set_result(result)


def _fail(waiting: Sequence[_Waiting[Item, Result]], error: BaseException) -> None:
    for one in waiting:
        if one.answer.done():
            continue
        if isinstance(error, asyncio.CancelledError):
            one.answer.cancel()
        else:
            one.answer.set_exception(error)
