"""The two records around every token request: that it may leave, and what came of it.

Each is final when its call returns. A process writes many of them at the same moment, and each
needs a transaction for nothing but itself, so those that come together may share one.
"""

from datetime import datetime
from typing import Protocol

from application.ports.storage.refresh_queue import Start
from domain.ids import IntegrationId
from domain.integration import Integration, Lease


class RefreshLog(Protocol):
    """Records starts and outcomes by the rules of `RefreshQueue`, and commits them.

    Both raise StorageUnavailable; then the record may have been made or not.
    """

    async def begin(
        self, integration_id: IntegrationId, lease: Lease, now: datetime, until: datetime
    ) -> Start:
        """`RefreshQueue.begin_exchange`, committed."""
        ...

    async def finish(
        self,
        integration: Integration,
        lease: Lease,
        *,
        expected_version: int,
        next_attempt_at: datetime | None,
        held_until: datetime | None = None,
    ) -> bool:
        """`RefreshQueue.finish`, committed."""
        ...
