"""Whose availability is to be fetched, and by whom."""

from datetime import datetime
from typing import Protocol

from domain.ids import IntegrationId
from domain.integration import Integration


class SyncQueue(Protocol):
    """One fetch of a user's availability at a time, across all processes."""

    async def take(
        self, integration_id: IntegrationId, owner: str, now: datetime, until: datetime
    ) -> bool:
        """Take the right to sync until then, due or not.

        False when somebody holds it, or when the integration is not active.
        """
        ...

    async def is_held(self, integration_id: IntegrationId, now: datetime) -> bool:
        """Whether somebody has the right to sync now."""
        ...

    async def claim_due(
        self, owner: str, now: datetime, until: datetime, limit: int
    ) -> list[Integration]:
        """Take the right to sync for up to `limit` active integrations that are due.

        Held ones are passed over without waiting. Whose availability was read last comes first,
        then the longest due.
        """
        ...

    async def hand_on(
        self, integration_id: IntegrationId, owner: str, *, to: str, until: datetime
    ) -> bool:
        """Let a right that `owner` holds go over to another name, until then (UTC).

        False when `owner` lost it, which may be after its end alone: one that ended and that
        nobody took is still its own.
        """
        ...

    async def finish(
        self,
        integration_id: IntegrationId,
        owner: str,
        *,
        synced_at: datetime | None,
        due_at: datetime,
    ) -> bool:
        """Give the right back; `synced_at` (UTC) is None when the fetch failed.

        `due_at` is when to sync next. An earlier due time that was set since the right was
        taken wins. Who lost the right meanwhile changes nothing and gets False. What a sync
        stores, it stores after this and in the same unit of work: from here to its end nobody
        takes the right or erases the integration.
        """
        ...
