import asyncio

import pytest

from adapters.calendly.concurrency import each
from domain.errors import CalendlyUnavailable


async def test_results_come_in_the_order_of_the_items() -> None:
    """The results are in the order of their items, in any order of their ends."""

    async def slow_first(number: int) -> int:
        await asyncio.sleep(0.01 / (number + 1))
        return number * 10

    assert await each(range(5), slow_first, at_once=5) == [0, 10, 20, 30, 40]


async def test_no_more_run_together_than_allowed() -> None:
    """The bound holds all the time, and is used."""
    running = most = 0

    async def counted(_: int) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1

    await each(range(20), counted, at_once=3)

    assert most == 3


async def test_the_first_failure_is_raised_as_it_is_and_ends_the_others() -> None:
    """A failure cancels the other reads and is raised unchanged, not in a group."""
    canceled = 0

    async def work(number: int) -> None:
        nonlocal canceled
        if number == 0:
            await asyncio.sleep(0)
            raise CalendlyUnavailable("down")
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            canceled += 1
            raise

    with pytest.raises(CalendlyUnavailable):
        await each(range(3), work, at_once=3)

    assert canceled == 2
