"""The two records around every token request: its start and its outcome.

Each record is durable when its call returns. Many requests of one process reach the same point
at the same time, so an implementation may write their records in one transaction.
"""

from typing import Protocol

from application.ports.storage.refresh_queue import RefreshEnd, RefreshStart, StartResult


class RefreshLog(Protocol):
    """Records starts and outcomes by the rules of `RefreshQueue`, and commits them.

    Both methods raise StorageUnavailable; the record may then be stored or not.
    """

    async def begin(self, start: RefreshStart) -> StartResult:
        """Record a start as `RefreshQueue.begin` does, and commit it."""
        ...

    async def finish(self, end: RefreshEnd) -> bool:
        """Store an outcome as `RefreshQueue.finish` does, and commit it."""
        ...
