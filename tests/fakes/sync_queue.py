"""The leases of refreshes in memory."""

import math
from datetime import datetime

from msgspec.structs import replace

from domain.ids import IntegrationId
from domain.integration import Integration, Status
from tests.fakes.state import IntegrationRow, State


class FakeSyncQueue:
    """Implements the SyncQueue port."""

    def __init__(self, state: State) -> None:
        self._state = state

    async def take(
        self, integration_id: IntegrationId, owner: str, now: datetime, until: datetime
    ) -> bool:
        """Take one right."""
        row = self._state.integrations.get(integration_id)
        if row is None or not _is_free(row, now):
            return False
        self._hold(row, owner, until)
        return True

    async def is_held(self, integration_id: IntegrationId, now: datetime) -> bool:
        """Look at the right."""
        row = self._state.integrations.get(integration_id)
        return row is not None and _is_held(row, now)

    async def claim_due(
        self, owner: str, now: datetime, until: datetime, limit: int
    ) -> list[Integration]:
        """Take a page of rights."""
        due = [
            row
            for row in self._state.integrations.values()
            if _is_free(row, now) and due_at(row) <= now
        ]
        claimed = sorted(due, key=_turn)[:limit]
        for row in claimed:
            self._hold(row, owner, until)
        return [row.value for row in claimed]

    async def transfer(
        self,
        integration_id: IntegrationId,
        owner: str,
        *,
        to: str,
        now: datetime,  # noqa: ARG002 - the fake's clock is the caller's
        until: datetime,
    ) -> bool:
        """Rename the owner of one right."""
        row = self._state.integrations.get(integration_id)
        if row is None or row.sync_owner != owner:
            return False
        self._hold(row, to, until)
        return True

    async def finish(
        self,
        integration_id: IntegrationId,
        owner: str,
        *,
        synced_at: datetime | None,
        due_at: datetime,
    ) -> bool:
        """Give the right back if it is still this owner's."""
        row = self._state.integrations.get(integration_id)
        if row is None or row.sync_owner != owner:
            return False
        last = synced_at or row.value.last_synced_at
        self._put(
            replace(
                row,
                value=replace(row.value, last_synced_at=last),
                invalidated=_crossed(row, synced_at),
                sync_due_at=min(due_at, row.requested_at or due_at),
                requested_at=None,
                sync_owner=None,
                sync_until=None,
            )
        )
        return True

    def _hold(self, row: IntegrationRow, owner: str, until: datetime) -> None:
        # Until it is released it is due when the lease ends: a crash leaves it due then.
        self._put(
            replace(row, sync_owner=owner, sync_until=until, sync_due_at=until, requested_at=None)
        )

    def _put(self, row: IntegrationRow) -> None:
        self._state.integrations[row.value.id] = row


def _crossed(row: IntegrationRow, synced_at: datetime | None) -> dict[str, tuple[datetime, str]]:
    """Return the row's invalidations, none earlier than the entries that were fetched during it."""
    invalidated = dict(row.invalidated)
    if row.requested_at is None or synced_at is None:
        return invalidated
    for what, (at, by) in row.invalidated.items():
        if at >= (row.value.last_synced_at or at):
            invalidated[what] = (max(at, synced_at), by)
    return invalidated


def request_sync(row: IntegrationRow, now: datetime) -> IntegrationRow:
    """Return the row with its sync due now."""
    return replace(row, requested_at=min(now, row.requested_at or now))


def due_at(row: IntegrationRow) -> datetime:
    """Return when the row is due."""
    return min(row.sync_due_at, row.requested_at or row.sync_due_at)


def _turn(row: IntegrationRow) -> tuple[float, datetime]:
    """Most recently read first, then the longest due."""
    read = -math.inf if row.read_at is None else row.read_at.timestamp()
    return -read, due_at(row)


def _is_free(row: IntegrationRow, now: datetime) -> bool:
    return row.value.status is Status.ACTIVE and not _is_held(row, now)


def _is_held(row: IntegrationRow, now: datetime) -> bool:
    return row.sync_until is not None and row.sync_until > now
