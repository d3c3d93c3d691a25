"""Refresh leases in memory."""

from datetime import datetime

from msgspec.structs import replace

from domain.ids import IntegrationId
from domain.integration import Integration, Lease, Status
from tests.fakes.state import IntegrationRow, State


class FakeRefreshQueue:
    """Implements the RefreshQueue port."""

    def __init__(self, state: State) -> None:
        self._state = state

    async def take(
        self, integration_id: IntegrationId, owner: str, now: datetime, until: datetime
    ) -> tuple[Integration, Lease] | None:
        """Take one lease."""
        row = self._state.integrations.get(integration_id)
        if row is None or row.value.status is not Status.ACTIVE or _is_held(row, now):
            return None
        return self._lease(row, owner, until)

    async def claim_due(
        self, owner: str, now: datetime, until: datetime, horizon: datetime, limit: int
    ) -> list[tuple[Integration, Lease]]:
        """Take a page of leases."""
        due = [
            (row.value.tokens.expires_at, row)
            for row in self._state.integrations.values()
            if row.value.status is Status.ACTIVE
            and row.value.tokens is not None
            and row.value.tokens.expires_at <= horizon
            and not _is_held(row, now)
            and (row.next_refresh_at is None or row.next_refresh_at <= now)
        ]
        soonest_first = sorted(due, key=lambda each: each[0])
        return [self._lease(row, owner, until) for _, row in soonest_first[:limit]]

    async def begin_exchange(
        self, integration_id: IntegrationId, lease: Lease, now: datetime
    ) -> bool:
        """Record the start; the earliest one is kept."""
        row = self._held_under(integration_id, lease)
        if row is None or row.value.status is not Status.ACTIVE:
            return False
        started = row.value.exchange_started_at or now
        self._put(replace(row, value=replace(row.value, exchange_started_at=started)))
        return True

    async def finish(
        self,
        integration: Integration,
        lease: Lease,
        *,
        expected_version: int,
        next_attempt_at: datetime | None,
    ) -> bool:
        """Store the outcome by compare-and-set; a disconnect that began stays one."""
        row = self._held_under(integration.id, lease)
        if row is None or row.value.tokens is None:
            return False
        if row.value.tokens.version != expected_version:
            return False
        value = replace(
            row.value,
            status=row.value.status
            if row.value.status is Status.DISCONNECTING
            else integration.status,
            account=replace(
                row.value.account, organization_uri=integration.account.organization_uri
            ),
            scopes=integration.scopes,
            tokens=integration.tokens,
            breaker=integration.breaker,
            attention=integration.attention,
            exchange_started_at=integration.exchange_started_at,
            last_refreshed_at=integration.last_refreshed_at,
            last_error_code=integration.last_error_code,
        )
        self._put(replace(row, value=value, lease=None, next_refresh_at=next_attempt_at))
        return True

    async def release(self, integration_id: IntegrationId, lease: Lease) -> None:
        """Free the lease if it is still this one."""
        row = self._held_under(integration_id, lease)
        if row is not None:
            self._put(replace(row, lease=None))

    def _lease(
        self, row: IntegrationRow, owner: str, until: datetime
    ) -> tuple[Integration, Lease]:
        lease = Lease(owner=owner, fence=row.fence + 1, expires_at=until)
        self._put(replace(row, fence=lease.fence, lease=lease))
        return row.value, lease

    def _held_under(self, integration_id: IntegrationId, lease: Lease) -> IntegrationRow | None:
        row = self._state.integrations.get(integration_id)
        if row is None or row.lease is None:
            return None
        held = row.lease
        return row if (held.owner, held.fence) == (lease.owner, lease.fence) else None

    def _put(self, row: IntegrationRow) -> None:
        self._state.integrations[row.value.id] = row


def _is_held(row: IntegrationRow, now: datetime) -> bool:
    return row.lease is not None and row.lease.expires_at > now
