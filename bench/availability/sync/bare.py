"""The bare loop: the same calls with httpx as it comes, decoded with json, and nothing kept.

It is a process of its own, so that its CPU is its own: a line of JSON in (`Turn`), a line of JSON
out (seconds, calls).
"""

import asyncio
import sys
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import msgspec

from bench.answering import answer_each_line
from bench.availability.calendly.hosts import EVENT_TYPES, Host

AT_ONCE = 16  # users at a time, as the service's default is
# So many are fastest here: httpx's pool looks through all its connections for each call.
FASTEST = 4
CALLS_AT_ONCE = 6  # of each user, as the service makes them
_SLOTS, _BUSY = timedelta(days=31), timedelta(days=7)


class Turn(msgspec.Struct):
    """Whose availability: so many hosts from this number on, and how many of them at once."""

    first: int
    count: int
    at_once: int = AT_ONCE


async def fetch_all(url: str, turn: Turn) -> int:
    """Fetch everything of every host; how many answers came."""
    waiting, answers = iter(range(turn.first, turn.first + turn.count)), Counter[str]()

    async def work(client: httpx.AsyncClient) -> None:
        for number in waiting:
            found = await _fetch(client, Host(number))
            answers["all"] += len(found)

    async with httpx.AsyncClient(base_url=url) as client, asyncio.TaskGroup() as group:
        for _ in range(turn.at_once):
            group.create_task(work(client))
    return answers["all"]


async def _fetch(client: httpx.AsyncClient, host: Host) -> list[Any]:
    headers = {"Authorization": f"Bearer {host.token}"}

    gate = asyncio.Semaphore(CALLS_AT_ONCE)

    async def get(path: str, **params: str) -> Any:
        async with gate:
            response = await client.get(path, params=params, headers=headers)
        response.raise_for_status()
        return response.json()

    listed = await get("/event_types", user=host.uri)
    uris = [each["uri"] for each in listed["collection"]]
    start = datetime.now(UTC) + timedelta(minutes=1)
    return [
        listed,
        *await asyncio.gather(
            get("/user_availability_schedules", user=host.uri),
            get("/user_busy_times", user=host.uri, **_span(start, _BUSY)),
            *(
                get("/event_type_available_times", event_type=uri, **_span(start, _SLOTS))
                for uri in uris
            ),
        ),
    ]


def _span(start: datetime, length: timedelta) -> dict[str, str]:
    return {"start_time": _stamp(start), "end_time": _stamp(start + length)}


def _stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


CALLS = 3 + len(EVENT_TYPES)


async def _main(url: str) -> None:
    async def fetch(turn: Turn) -> dict[str, float]:
        started = time.perf_counter()
        answers = await fetch_all(url, turn)
        return {"seconds": time.perf_counter() - started, "answers": answers}

    await answer_each_line(Turn, fetch)


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1]))
