"""Refresh leases in memory."""

from collections.abc import Sequence
from datetime import datetime

from msgspec.structs import replace

from application.ports.storage.refresh_queue import RefreshEnd, RefreshStart, StartResult
from domain.ids import IntegrationId
from domain.integration import Cause, Integration, Lease, Recovery, Status, is_foreign
from domain.refusal import MANY_ACCOUNTS, RecentOutcomes
from domain.token import LEFT_ALONE_FOR, TOKEN_REQUESTS, TOKEN_WINDOW
from tests.fakes.state import IntegrationRow, State


class FakeRefreshQueue:
    def __init__(self, state: State) -> None:
        self._state = state

    async def take(
        self,
        integration_id: IntegrationId,
        owner: str,
        now: datetime,
        until: datetime,
        *,
        disconnecting: bool = False,
    ) -> tuple[Integration, Lease] | None:
        row = self._state.integrations.get(integration_id)
        status = _status(disconnecting=disconnecting)
        if row is None or row.value.status is not status or _is_held(row, now):
            return None
        return self._lease(row, owner, until, disconnecting=disconnecting)

    async def claim_due(
        self,
        owner: str,
        now: datetime,
        until: datetime,
        horizon: datetime,
        limit: int,
        *,
        client_id: str | None = None,
    ) -> list[tuple[Integration, Lease]]:
        due = [
            (row.value.tokens.expires_at, row)
            for row in self._state.integrations.values()
            if row.value.status is Status.ACTIVE
            and row.value.tokens is not None
            and row.value.tokens.expires_at <= horizon
            and not _is_held(row, now)
            and (row.next_refresh_at is None or row.next_refresh_at <= now)
            and not _is_new(row, now)
            and (client_id is None or not is_foreign(row.value, client_id))
        ]
        soonest_first = sorted(due, key=lambda each: each[0])
        return [self._lease(row, owner, until) for _, row in soonest_first[:limit]]

    async def claim_refused(
        self, owner: str, now: datetime, until: datetime, limit: int, *, client_id: str
    ) -> list[tuple[Integration, Lease]]:
        due = [
            (row.next_refresh_at, row)
            for row in self._state.integrations.values()
            if _is_asked_again(row)
            and row.next_refresh_at is not None
            and row.next_refresh_at <= now
            and not _is_held(row, now)
            and not is_foreign(row.value, client_id)
        ]
        longest_due_first = sorted(due, key=lambda each: each[0])
        return [self._lease(row, owner, until) for _, row in longest_due_first[:limit]]

    async def count_foreign(self, horizon: datetime, client_id: str) -> int:
        return sum(
            row.value.status is Status.ACTIVE
            and row.value.tokens is not None
            and row.value.tokens.expires_at <= horizon
            and is_foreign(row.value, client_id)
            for row in self._state.integrations.values()
        )

    async def recent_outcomes(self, integration: Integration, since: datetime) -> RecentOutcomes:
        values = [row.value for row in self._state.integrations.values()]
        latest: dict[str, datetime] = {}
        for each in values:
            account, at = each.account.user_uri, each.refused_at
            if at is not None and at > since and account != integration.account.user_uri:
                latest[account] = max(at, latest.get(account, at))
        refusals = sorted(latest.values(), reverse=True)[: MANY_ACCOUNTS - 1]
        refreshed = sum(
            each.status is Status.ACTIVE
            and each.last_refreshed_at is not None
            and bool(refusals)
            and each.last_refreshed_at >= refusals[-1]
            for each in values
        )
        return RecentOutcomes(refused=len(refusals) + 1, refreshed=refreshed)

    async def begin(self, starts: Sequence[RefreshStart]) -> list[StartResult]:
        return [self._begin(each) for each in starts]

    def _begin(self, start: RefreshStart) -> StartResult:
        lease, now = start.lease, start.now
        row = self._held_under(start.integration_id, lease)
        if row is None or not _is_held(row, now) or not _may_send(row.value, start):
            return StartResult(granted=False)
        since = row.token_requests_since
        if since is None or since <= now - TOKEN_WINDOW:
            row = replace(row, token_requests=0, token_requests_since=now)
        elif row.token_requests >= TOKEN_REQUESTS:
            return StartResult(granted=False, wait=since + TOKEN_WINDOW - now)
        value = replace(row.value, exchange_started_at=now, exchange_unanswered=False)
        renewed = replace(lease, expires_at=start.until)
        requests = row.token_requests + 1
        self._put(replace(row, value=value, lease=renewed, token_requests=requests))
        return StartResult(granted=True)

    async def next_attempt(self, now: datetime, horizon: datetime) -> datetime | None:
        waits = [
            max(each for each in (row.next_refresh_at, _held_until(row)) if each is not None)
            for row in self._state.integrations.values()
            if (_is_due(row, now, horizon) or _is_asked_again(row))
            and (row.next_refresh_at is not None or row.lease is not None)
        ]
        return min((each for each in waits if each > now), default=None)

    async def paused_until(self, integration_id: IntegrationId, now: datetime) -> datetime | None:
        row = self._state.integrations.get(integration_id)
        if row is None or row.lease is None or row.next_refresh_at is None:
            return None
        until = row.lease.expires_at
        return until if now < until <= row.next_refresh_at else None

    async def finish(self, ends: Sequence[RefreshEnd]) -> list[bool]:
        return [self._finish(each) for each in ends]

    def _finish(self, end: RefreshEnd) -> bool:
        integration, lease, expected_version, next_attempt_at, keep_lease_until = end
        row = self._state.integrations.get(integration.id)
        held = self._held_under(integration.id, lease) is not None
        if row is None or not _gives_way(row, integration, expected_version, held=held):
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
            recovery=_recovery(row.value, integration),
            exchange_started_at=integration.exchange_started_at,
            last_refreshed_at=integration.last_refreshed_at,
            last_error_code=integration.last_error_code,
            client_id=integration.client_id,
            refused_at=integration.refused_at,
            refusals=integration.refusals,
            exchange_unanswered=integration.exchange_unanswered,
            error_since=integration.error_since,
            scopes_missing_since=integration.scopes_missing_since,
        )
        left = row.lease
        if held and left is not None:
            left = None if keep_lease_until is None else replace(left, expires_at=keep_lease_until)
        dead = integration.status is Status.REAUTH_REQUIRED
        self._put(
            replace(
                row,
                value=value,
                lease=left,
                next_refresh_at=next_attempt_at,
                version=row.version + int(value.status is not row.value.status),
                refused_version=expected_version if dead else None,
            )
        )
        return True

    async def release(self, integration_id: IntegrationId, lease: Lease) -> None:
        row = self._held_under(integration_id, lease)
        if row is not None:
            self._put(replace(row, lease=None))

    def _lease(
        self, row: IntegrationRow, owner: str, until: datetime, *, disconnecting: bool = False
    ) -> tuple[Integration, Lease]:
        lease = Lease(owner, row.fence + 1, until, disconnecting)
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


def _gives_way(
    row: IntegrationRow, integration: Integration, expected_version: int, *, held: bool
) -> bool:
    now, new = row.value, integration.tokens
    same_version = now.tokens is not None and now.tokens.version == expected_version
    if now.connected_at != integration.connected_at:
        return False
    if new is None or new.version == expected_version or now.status is Status.DISCONNECTING:
        return held and same_version
    if now.status is Status.REAUTH_REQUIRED:
        of_owner = now.attention is not None and now.attention.cause is Cause.OWNER_CHANGED
        return row.refused_version == expected_version and not of_owner
    return same_version


def _recovery(before: Integration, after: Integration) -> Recovery | None:
    revived = (before.status, after.status) == (Status.REAUTH_REQUIRED, Status.ACTIVE)
    if not revived or before.attention is None or after.last_refreshed_at is None:
        return before.recovery
    return Recovery(cause=before.attention.cause, at=after.last_refreshed_at)


def _may_send(stored: Integration, start: RefreshStart) -> bool:
    """Whether the tokens that a start sends are still the stored ones, and it may send them."""
    disconnecting = stored.status is Status.DISCONNECTING
    version = stored.tokens.version if stored.tokens else None
    return disconnecting is start.lease.disconnecting and version == start.version


def _is_due(row: IntegrationRow, now: datetime, horizon: datetime) -> bool:
    tokens = row.value.tokens
    if tokens is None or row.value.status is not Status.ACTIVE:
        return False
    return tokens.expires_at <= horizon and not _is_new(row, now)


def _is_asked_again(row: IntegrationRow) -> bool:
    return row.value.status is Status.REAUTH_REQUIRED and row.value.tokens is not None


def _is_new(row: IntegrationRow, now: datetime) -> bool:
    refreshed_at = row.value.last_refreshed_at
    return refreshed_at is not None and refreshed_at > now - LEFT_ALONE_FOR


def _held_until(row: IntegrationRow) -> datetime | None:
    return None if row.lease is None else row.lease.expires_at


def _is_held(row: IntegrationRow, now: datetime) -> bool:
    return row.lease is not None and row.lease.expires_at > now


def _status(*, disconnecting: bool) -> Status:
    return Status.DISCONNECTING if disconnecting else Status.ACTIVE
