"""Waiting for what a real server makes visible a moment later."""

import asyncio
from collections.abc import Awaitable, Callable


async def eventually(holds: Callable[[], Awaitable[bool]], *, within: float = 30) -> None:
    """Return once it holds; after `within` seconds fail."""
    async with asyncio.timeout(within):
        while not await holds():  # noqa: ASYNC110 - a server sends no notification
            await asyncio.sleep(0.05)
