import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from adapters.web.http import read_concurrency
from adapters.web.http.read_concurrency import LEAST, MOST, WINDOW, ReadConcurrency


class Loop:
    """A clock and the processor time of its thread (seconds)."""

    def __init__(self) -> None:
        self.now = self.used = 0.0

    def passes(self, *, busy: bool) -> None:
        """Let two windows pass."""
        self.now += 2 * WINDOW
        self.used += 2 * WINDOW if busy else 0.0


@pytest.fixture
def loop() -> Loop:
    """A loop that is idle so far."""
    return Loop()


@pytest.fixture
def reads(loop: Loop) -> ReadConcurrency:
    """The turns of a server that just started."""
    return ReadConcurrency(lambda: loop.now, lambda: loop.used)


@pytest.fixture
async def full(reads: ReadConcurrency) -> AsyncIterator[AsyncExitStack]:
    """As many reads as may work; to close the stack ends them."""
    async with AsyncExitStack() as working:
        for _ in range(MOST):
            assert await working.enter_async_context(reads.turn())
        yield working


async def test_fewer_work_while_the_loop_is_busy(reads: ReadConcurrency, loop: Loop) -> None:
    """The limit falls by half and rises by one."""
    limits = [reads.limit]
    for busy in (True, True, True, True, False, False):
        loop.passes(busy=busy)
        async with reads.turn():
            limits.append(reads.limit)
    assert limits == [MOST, 4, 2, 1, LEAST, 2, 3]


async def test_the_longest_wait_is_next(reads: ReadConcurrency, full: AsyncExitStack) -> None:
    """A turn that ends is given to the first that waits."""
    order: list[int] = []

    async def wait(number: int) -> None:
        async with reads.turn() as has_turn:
            assert has_turn
            order.append(number)

    waiting = [asyncio.create_task(wait(number)) for number in range(3)]
    await asyncio.sleep(0)
    await full.aclose()
    await asyncio.gather(*waiting)
    assert order == [0, 1, 2]
    assert reads.working == 0


async def test_the_wait_has_an_end(
    reads: ReadConcurrency, full: AsyncExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A read without a turn gets False, and takes none later."""
    monkeypatch.setattr(read_concurrency, "PATIENCE", 0.01)
    async with reads.turn() as has_turn:
        assert not has_turn
    await full.aclose()
    assert reads.working == 0


@pytest.mark.parametrize("given", [False, True])
async def test_a_caller_that_goes_away_takes_no_turn(
    reads: ReadConcurrency, full: AsyncExitStack, *, given: bool
) -> None:
    """A cancelled wait leaves the line, and returns a turn that came in the same moment."""

    async def wait() -> None:
        async with reads.turn():
            pass

    waiting = asyncio.create_task(wait())
    await asyncio.sleep(0)
    if given:
        await full.aclose()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await full.aclose()
    assert reads.working == 0


async def test_a_long_read_goes_on_without_its_turn(
    reads: ReadConcurrency, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reads that wait for Calendly or for a lock delay no other read."""
    monkeypatch.setattr(read_concurrency, "TURN", 0.01)
    async with AsyncExitStack() as working:
        for _ in range(MOST + 1):
            assert await working.enter_async_context(reads.turn())
    assert reads.working == 0
