"""Runs one use case for a command: the services are open only while it lasts."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from typing import TypeVar

from adapters.bootstrap import open_services
from adapters.settings import load_settings
from adapters.wiring.services import Services

Result = TypeVar("Result")


def with_services(use: Callable[[Services], Awaitable[Result]]) -> Result:
    """Return what `use` returns. Raises SettingsError, StorageUnavailable, and what `use` raises."""
    return asyncio.run(_run(use))


async def _run(use: Callable[[Services], Awaitable[Result]]) -> Result:
    async with open_services(load_settings(os.environ)) as services:
        return await use(services)
