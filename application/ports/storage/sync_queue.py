"""The users whose availability is due for a refresh, and the leases for it."""

from datetime import datetime
from typing import Protocol

from domain.ids import IntegrationId
from domain.integration import Integration


class SyncQueue(Protocol):
    """One refresh of a user's availability at a time, across all processes.

    The store judges every lease by its own clock. Of a caller's `now` and `until` only the
    distance counts.
    """

    async def take(
        self, integration_id: IntegrationId, owner: str, now: datetime, until: datetime
    ) -> bool:
        """Take the lease until then (UTC), whether the user is due or not.

        False when another owner holds it, or when the integration is not active.
        """
        ...

    async def is_held(self, integration_id: IntegrationId, now: datetime) -> bool:
        """Whether any owner holds the lease now (UTC)."""
        ...

    async def claim_due(
        self, owner: str, now: datetime, until: datetime, limit: int
    ) -> list[Integration]:
        """Take the leases of up to `limit` active integrations that are due.

        Leased ones are skipped without waiting. The user whose availability was read most
        recently comes first, then the one that is due longest.
        """
        ...

    async def transfer(
        self,
        integration_id: IntegrationId,
        owner: str,
        *,
        to: str,
        now: datetime,
        until: datetime,
    ) -> bool:
        """Transfer a lease from `owner` to another owner, from now until then (UTC).

        False when `owner` lost it. A lease that ended, and that no other owner took, is still
        its own.
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
        """Release the lease.

        The caller stores fetched entries after this call and in the same unit of work. Until
        that ends no other process takes the lease or erases the integration.

        Args:
            integration_id: the integration.
            owner: the owner of the lease.
            synced_at: when the refresh ended (UTC); None when it failed.
            due_at: when the user is due next (UTC). An earlier time that was set since the lease
                was taken wins.

        Returns:
            False when `owner` lost the lease; nothing is changed then.

        """
        ...
