"""Whose availability is to be fetched, and by whom."""

from datetime import datetime
from typing import Protocol

from domain.ids import IntegrationId, UserId
from domain.integration import Integration


class SyncQueue(Protocol):
    """One fetch of a user's availability at a time, across all processes."""

    async def take(
        self, integration_id: IntegrationId, owner: str, now: datetime, until: datetime
    ) -> bool:
        """Take the right to sync until then; False when somebody holds it or it is not active."""
        ...

    async def claim_due(
        self, owner: str, now: datetime, until: datetime, limit: int
    ) -> list[Integration]:
        """Take the right to sync for up to `limit` active integrations that are due.

        Held ones are passed over without waiting; the longest due come first.
        """
        ...

    async def make_due(self, user_id: UserId, now: datetime) -> None:
        """Let the next sync take this user's integration up."""
        ...

    async def finish(
        self,
        integration_id: IntegrationId,
        owner: str,
        *,
        synced_at: datetime | None,
        due_at: datetime,
    ) -> None:
        """Give the right back; `synced_at` (UTC) is None when the fetch failed.

        `due_at` is when to sync next. An earlier due time that was set since the right was
        taken wins. Who lost the right meanwhile changes nothing.
        """
        ...
