"""An event loop whose time is made of waits alone, so that the same run is always the same."""

import asyncio

from tests.application.support.passing_time import PassingTimeLoop


class VirtualTimeLoop(PassingTimeLoop):
    """Time that does not pass while a task works, and jumps when all wait."""

    def time(self) -> float:
        """Return the sum of the waits (seconds)."""
        return self._unwaiting.skipped

    async def settle(self) -> None:
        """Let all other tasks run until all of them wait."""
        while True:
            await asyncio.sleep(0)
            if not self._ready:  # type: ignore[attr-defined]  # the base loop's own queue
                return
