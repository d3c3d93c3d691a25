import asyncio

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


async def _fill(reads: ReadConcurrency) -> None:
    for _ in range(reads.limit):
        assert await reads.begin()


async def test_fewer_work_while_the_loop_is_busy(reads: ReadConcurrency, loop: Loop) -> None:
    """The limit falls by half and rises by one."""
    limits = [reads.limit]
    for busy in (True, True, True, True, False, False):
        loop.passes(busy=busy)
        assert await reads.begin()
        reads.end()
        limits.append(reads.limit)
    assert limits == [MOST, 4, 2, 1, LEAST, 2, 3]


async def test_the_longest_wait_is_next(reads: ReadConcurrency) -> None:
    """A turn that ends is given to the first that waits."""
    await _fill(reads)
    order: list[int] = []

    async def wait(number: int) -> None:
        assert await reads.begin()
        order.append(number)

    waiting = [asyncio.create_task(wait(number)) for number in range(3)]
    await asyncio.sleep(0)
    for _ in waiting:
        reads.end()
    await asyncio.gather(*waiting)
    assert order == [0, 1, 2]
    assert reads.working == MOST


async def test_the_wait_has_an_end(
    reads: ReadConcurrency, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A read without a turn gets False, and takes none later."""
    monkeypatch.setattr(read_concurrency, "PATIENCE", 0.01)
    await _fill(reads)
    assert not await reads.begin()
    reads.end()
    assert reads.working == MOST - 1


@pytest.mark.parametrize("given", [False, True])
async def test_a_caller_that_goes_away_takes_no_turn(
    reads: ReadConcurrency, *, given: bool
) -> None:
    """A cancelled wait leaves the line, and returns a turn that came in the same moment."""
    await _fill(reads)
    waiting = asyncio.create_task(reads.begin())
    await asyncio.sleep(0)
    if given:
        reads.end()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    if not given:
        reads.end()
    assert reads.working == MOST - 1
    assert await reads.begin()
