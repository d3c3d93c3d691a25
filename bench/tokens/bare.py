"""The bare loop: the same exchanges with httpx as it comes, and nothing kept.

It is a process of its own, so that its CPU is its own: a line of JSON in (refresh tokens), a
line of JSON out (seconds).
"""

import asyncio
import os
import sys
import time
from collections.abc import Iterable
from typing import Any

import httpx

from bench.answering import answer_each_line


async def exchange_all(url: str, tokens: Iterable[str], concurrency: int) -> list[Any]:
    """Exchange every token, so many at once; the answers."""
    auth = (os.environ["CALENDLY_CLIENT_ID"], os.environ["CALENDLY_CLIENT_SECRET"])
    waiting, answers = iter(tokens), []

    async def work(client: httpx.AsyncClient) -> None:
        for token in waiting:
            form = {"grant_type": "refresh_token", "refresh_token": token}
            answer = await client.post(f"{url}/oauth/token", data=form, auth=auth)
            answer.raise_for_status()
            answers.append(answer.json())

    async with httpx.AsyncClient() as client, asyncio.TaskGroup() as group:
        for _ in range(concurrency):
            group.create_task(work(client))
    return answers


async def _main(url: str, concurrency: int) -> None:
    async def exchange(tokens: list[str]) -> dict[str, float]:
        started = time.perf_counter()
        answers = await exchange_all(url, tokens, concurrency)
        return {"seconds": time.perf_counter() - started, "exchanged": len(answers)}

    await answer_each_line(list[str], exchange)


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1], int(sys.argv[2])))
