"""Runs one use case for a command: the services are open only while it lasts."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from typing import TypeVar
from uuid import UUID

from adapters.bootstrap import open_services
from adapters.commands.actor import command_line_actor
from adapters.settings import load_settings
from adapters.wiring.services import Services
from domain.audit import AuditAction

Result = TypeVar("Result")


def with_services(
    use: Callable[[Services], Awaitable[Result]],
    act: AuditAction | None = None,
    subject_id: UUID | None = None,
) -> Result:
    """Return what `use` returns.

    Args:
        use: calls a use case.
        act: the entry of the audit trail, where the use case adds none itself.
        subject_id: the public id of the object of the act, or None for many.

    Raises:
        SettingsError, StorageUnavailable: and what `use` raises; then there is no entry.

    """
    return asyncio.run(_run(use, act, subject_id))


async def _run(
    use: Callable[[Services], Awaitable[Result]], act: AuditAction | None, subject_id: UUID | None
) -> Result:
    async with open_services(load_settings(os.environ)) as services:
        result = await use(services)
        if act is not None:
            await services.audit.record(command_line_actor(), act, subject_id)
    return result
