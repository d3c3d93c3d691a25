"""The bare loop: the same exchanges, and nothing stored."""

import os

import httpx

from bench.bare_loop import work_on_all


async def exchange_all(url: str, tokens: list[str], at_once: int) -> tuple[int, float]:
    """Exchange every refresh token; return how many were exchanged, and the seconds."""
    auth = (os.environ["CALENDLY_CLIENT_ID"], os.environ["CALENDLY_CLIENT_SECRET"])

    async def exchange(client: httpx.AsyncClient, token: str) -> int:
        form = {"grant_type": "refresh_token", "refresh_token": token}
        response = await client.post(f"{url}/oauth/token", data=form, auth=auth)
        response.raise_for_status()
        response.json()
        return 1

    return await work_on_all(tokens, at_once, exchange)
