"""The bare loop: the calls of the sync, decoded as JSON, and nothing stored."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from bench.bare_loop import work_on_all

_CALLS_AT_ONCE = 6  # of each user, as the service makes them


async def fetch_all(url: str, users: list[tuple[str, str]], at_once: int) -> tuple[int, float]:
    """Fetch the availability of users, given as address and access token of each account.

    Returns the number of responses, and the seconds.
    """

    async def fetch(client: httpx.AsyncClient, user: tuple[str, str]) -> int:
        return await _fetch(client, url, *user)

    return await work_on_all(users, at_once, fetch)


async def _fetch(client: httpx.AsyncClient, url: str, uri: str, token: str) -> int:
    headers = {"Authorization": f"Bearer {token}"}
    gate = asyncio.Semaphore(_CALLS_AT_ONCE)

    async def get(path: str, days: int = 0, **params: str) -> Any:
        async with gate:
            response = await client.get(url + path, params=params | _range(days), headers=headers)
        response.raise_for_status()
        return response.json()

    listed = await get("/event_types", user=uri)
    others = await asyncio.gather(
        get("/user_availability_schedules", user=uri),
        get("/user_busy_times", 7, user=uri),
        *(
            get("/event_type_available_times", 31, event_type=each["uri"])
            for each in listed["collection"]
        ),
    )
    return 1 + len(others)


def _range(days: int) -> dict[str, str]:
    start = datetime.now(UTC) + timedelta(minutes=1)
    bounds = {"start_time": start, "end_time": start + timedelta(days=days)}
    return {name: f"{at:%Y-%m-%dT%H:%M:%S.%fZ}" for name, at in bounds.items()} if days else {}
