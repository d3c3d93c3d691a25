"""When API keys were last used, collected in memory and written once a minute.

The rule not to break: a mark never delays a request. A mark that is lost with the process is
repeated by the next use of the key.
"""

from datetime import datetime
from typing import Final
from uuid import UUID

from application.ports.background import Background
from application.ports.storage.unit_of_work import Storage
from application.resilience.delayed_write import DelayedWrite

EVERY: Final = 60.0  # seconds from the first mark to the writing of all


class KeyUsage:
    """Collects marks, and writes them in one statement."""

    def __init__(self, *, storage: Storage, background: Background) -> None:
        self._storage = storage
        self._background = background
        self._used: dict[UUID, datetime] = {}
        self._delayed = DelayedWrite(self._write_in_background, every=EVERY)

    def note(self, key_id: UUID, now: datetime) -> None:
        """Mark a key as used at that time (UTC); ignored after `close`."""
        if self._delayed.closed:
            return
        self._used[key_id] = now
        self._delayed.schedule()

    async def write(self) -> None:
        """Write the collected marks. Raises StorageUnavailable, and the marks are lost."""
        used, self._used = self._used, {}
        if used:
            async with self._storage() as uow:
                await uow.api_keys.mark_used(used)
                await uow.commit()

    async def close(self) -> None:
        """Write the last marks, and start no further timer. Raises as `write`."""
        self._delayed.close()
        await self.write()

    def _write_in_background(self) -> None:
        self._background.run("mark_keys_used", self.write())
