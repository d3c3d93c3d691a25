"""When API keys were last used, collected in memory and written once a minute.

The rule not to break: a mark never delays a request. A mark that is lost with the process is
repeated by the next use of the key.
"""

import asyncio
from contextvars import Context
from datetime import datetime
from typing import Final
from uuid import UUID

from application.ports.background import Background
from application.ports.storage.unit_of_work import Storage

EVERY: Final = 60.0  # seconds from the first mark to the writing of all


class KeyUsage:
    """Collects marks, and writes them in one statement."""

    def __init__(self, *, storage: Storage, background: Background) -> None:
        self._storage = storage
        self._background = background
        self._used: dict[UUID, datetime] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False

    def note(self, key_id: UUID, now: datetime) -> None:
        """Mark a key as used at that time (UTC); ignored after `close`."""
        if self._closed:
            return
        self._used[key_id] = now
        if self._timer is None:
            # The timer has its own context, because it outlives the request.
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(EVERY, self._write_in_background, context=Context())

    async def write(self) -> None:
        """Write the collected marks. Raises StorageUnavailable, and the marks are lost."""
        used, self._used = self._used, {}
        if used:
            async with self._storage() as uow:
                await uow.api_keys.mark_used(used)
                await uow.commit()

    async def close(self) -> None:
        """Write the last marks, and start no further timer. Raises as `write`."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        await self.write()

    def _write_in_background(self) -> None:
        self._timer = None
        self._background.run("mark_keys_used", self.write())
