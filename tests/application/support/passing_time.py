"""An event loop whose waits take no time: when all wait, its clock jumps to the next wake-up."""

import asyncio
import selectors


class _Unwaiting(selectors.DefaultSelector):
    """Polls instead of waiting, and remembers each requested wait."""

    def __init__(self) -> None:
        super().__init__()
        self.skipped = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Answer what is ready now; nothing ready and no wake-up planned is a real wait."""
        ready = super().select(None if timeout is None else 0)
        if timeout is not None and timeout > 0 and not ready:
            self.skipped += timeout
        return ready


class PassingTimeLoop(asyncio.SelectorEventLoop):
    """Runs `asyncio.sleep(60)` immediately, in the right order with every other sleep."""

    def __init__(self) -> None:
        self._unwaiting = _Unwaiting()
        super().__init__(self._unwaiting)

    def time(self) -> float:
        """Return the loop's time in seconds, with the waits that were skipped."""
        return super().time() + self._unwaiting.skipped
