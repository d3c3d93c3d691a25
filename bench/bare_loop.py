"""A bare loop over httpx: works on each item with a client as it comes, and stores nothing."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

import httpx

T = TypeVar("T")


async def work_on_all(
    items: Iterable[T],
    at_once: int,
    work: Callable[[httpx.AsyncClient, T], Awaitable[int]],
) -> tuple[int, float]:
    """Work on so many items concurrently; return the sum of the results, and the seconds."""
    waiting, results = iter(items), list[int]()
    started = time.perf_counter()

    async def work_in_turn(client: httpx.AsyncClient) -> None:
        for each in waiting:
            results.append(await work(client, each))

    async with httpx.AsyncClient() as client, asyncio.TaskGroup() as group:
        for _ in range(at_once):
            group.create_task(work_in_turn(client))
    return sum(results), time.perf_counter() - started
