"""Integrations in calendly_integration, except the columns of the two queues."""

from collections.abc import Sequence
from datetime import datetime

from adapters.persistence.rows.integration import (
    COLUMNS,
    attention_values,
    breaker_values,
    recovery_values,
    subscription_values,
    to_integration,
    token_values,
)
from adapters.persistence.session import Session
from domain.errors import ConnectStateInvalid
from domain.ids import IntegrationId, UserId
from domain.integration import Gap, Integration, Subscription
from domain.reconcile_order import Place

_FROM = "FROM calendly_integration i JOIN app_user u ON u.id = i.user_id"
_GET = f"SELECT {COLUMNS} {_FROM} WHERE i.public_id = $1"
# A disconnecting integration is returned only if the user has no other.
_FOR_USER = f"""
SELECT {COLUMNS} {_FROM} WHERE u.public_id = $1
ORDER BY i.status = 'disconnecting', i.id DESC LIMIT 1
"""
# Weaker than FOR UPDATE, so that a webhook which only refers to the row need not wait.
_LOCK_USER = "SELECT id FROM app_user WHERE public_id = $1 FOR NO KEY UPDATE"
_LOCK = " FOR NO KEY UPDATE OF i"
_BY_ACCOUNTS = f"SELECT {COLUMNS} {_FROM} WHERE i.account_uri = ANY ($1) ORDER BY i.public_id"
_LIVE_AFTER = f"""
SELECT {COLUMNS} {_FROM}
WHERE i.status = 'active' AND ($1::uuid IS NULL OR i.public_id > $1)
ORDER BY i.public_id LIMIT $2
"""
# The expression is the index's. An integration that was never compared comes first.
_COMPARED_AT = "coalesce(i.reconciled_at, '-infinity'::timestamptz)"
_TO_RECONCILE = f"""
SELECT {COLUMNS} {_FROM}
WHERE i.status = 'active' AND {_COMPARED_AT} < $1 AND (
    $2::uuid IS NULL
    OR ({_COMPARED_AT}, i.public_id) > (coalesce($3, '-infinity'::timestamptz), $2)
)
"""
_RECONCILE_TURN = f" ORDER BY {_COMPARED_AT}, i.public_id LIMIT $4"
_ALL_TO_RECONCILE = _TO_RECONCILE + _RECONCILE_TURN
_UNFINISHED = " AND (i.gap_since IS NOT NULL OR i.reconcile_from IS NOT NULL)"
_UNFINISHED_TO_RECONCILE = _TO_RECONCILE + _UNFINISHED + _RECONCILE_TURN
_OLDEST_RECONCILED = """
SELECT min(coalesce(i.reconciled_at, i.connected_at)) AS oldest
FROM calendly_integration i WHERE i.status = 'active'
"""
_DISCONNECTING = f"""
SELECT {COLUMNS} {_FROM} WHERE i.status = 'disconnecting' ORDER BY i.public_id LIMIT $1
"""
_LOCK_TO_ERASE = f"{_GET} FOR UPDATE OF i"
_USER_OF = "(SELECT user_id FROM calendly_integration WHERE id = $1)"
_IS_LAST = f"""
NOT EXISTS (SELECT 1 FROM calendly_integration o WHERE o.user_id = {_USER_OF} AND o.id <> $1)
"""
# Those of the user alone were delivered while an integration was held, and no column tells which:
# they go with the last one.
_ERASE_EVENTS = f"""
DELETE FROM calendly_webhook_event
WHERE integration_id = $1 OR (integration_id IS NULL AND user_id = {_USER_OF} AND {_IS_LAST})
"""
# A command names its booking, not its integration; what led to no booking goes with the last one.
_ERASE_COMMANDS = f"""
DELETE FROM calendly_booking_command WHERE user_id = {_USER_OF} AND (
    booking_id IN (SELECT public_id FROM calendly_booking WHERE integration_id = $1)
    OR {_IS_LAST}
)
"""
# A running sync loses its lease here, so it stores nothing after the deletion.
_MARK_DISCONNECTING = """
UPDATE calendly_integration
SET status = 'disconnecting', sync_lease_owner = NULL, sync_lease_until = NULL,
    availability_version = availability_version + 1
WHERE public_id = $1 RETURNING id
"""
_IDS_OF_USER = f"SELECT i.public_id {_FROM} WHERE u.public_id = $1 ORDER BY i.public_id"
_FORGET_PARTS = "DELETE FROM calendly_availability_cache WHERE integration_id = $1"
_ERASE = "DELETE FROM calendly_integration WHERE id = $1"
# The first healthy time is kept: before it webhooks could not arrive, so none were lost.
_PUT_SUBSCRIPTION = """
UPDATE calendly_integration SET subscription_key = $2, subscription_uri = $3,
    subscription_state = $4, subscription_healthy_at = $5,
    subscribed_since = COALESCE(subscribed_since, $5)
WHERE public_id = $1
"""
# Those who are asked to rest at the same moment are not asked for the same time.
_PAUSE_CALLS = """
UPDATE calendly_integration SET calls_paused_until = GREATEST(calls_paused_until, $2)
WHERE public_id = $1
"""
# The job takes the integration up again instead of waiting for the end of its quarantine.
_CLEAR_ERROR = """
UPDATE calendly_integration SET last_error_code = NULL, error_since = NULL, next_refresh_at = NULL
WHERE public_id = $1 AND last_error_code = $2
"""
# GREATEST and LEAST pass over NULL: the first gap is taken as it is.
_PUT_GAP = """
UPDATE calendly_integration
SET gap_since = LEAST(gap_since, $2), gap_until = GREATEST(gap_until, $3), reconcile_from = NULL
WHERE public_id = $1
"""
_PUT_RECONCILED = """
UPDATE calendly_integration SET reconciled_at = $2, reconcile_from = NULL, reconcile_error = $5,
    gap_since = CASE WHEN (gap_since, gap_until) = ($3, $4) THEN NULL ELSE gap_since END,
    gap_until = CASE WHEN (gap_since, gap_until) = ($3, $4) THEN NULL ELSE gap_until END
WHERE public_id = $1
"""
# Events before the place were compared before a gap that has opened or grown since: begin again.
_PUT_UNRECONCILED = """
UPDATE calendly_integration SET reconcile_error = $2, reconcile_from = CASE
    WHEN gap_since IS NOT DISTINCT FROM $4 AND gap_until IS NOT DISTINCT FROM $5
        THEN $3::timestamptz END
WHERE public_id = $1
"""
_ADD_REPAIRS = """
UPDATE calendly_integration
SET repaired_count = COALESCE(repaired_count, 0) + $2, last_repaired_at = GREATEST(last_repaired_at, $3)
WHERE public_id = $1
"""
_PUT_CONNECTED = """
INSERT INTO calendly_integration AS i (
    public_id, user_id, status, account_uri, organization_uri, account_name, account_email,
    account_timezone, scheduling_url, scopes, connected_at, access_token_sealed,
    refresh_token_sealed, token_expires_at, token_version, breaker_state, failed_refresh_count,
    breaker_opened_at, breaker_trips, breaker_probe_until, breaker_failed_at, breaker_open_until,
    attention_cause, attention_since, exchange_started_at, last_error_code, subscription_key,
    subscription_uri, subscription_state, subscription_healthy_at, refresh_fence, sync_due_at,
    token_requests, recovered_from, recovered_at, availability_version, client_id,
    error_since
)
SELECT $1, u.id, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19,
    $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, 0, $11, 0, $31, $32, 0,
    $33, $34
FROM app_user u
WHERE u.public_id = $2
    AND NOT EXISTS (SELECT 1 FROM calendly_user_erasure e WHERE e.user_id = u.id)
ON CONFLICT (user_id) WHERE status <> 'disconnecting' DO UPDATE SET
    status = excluded.status,
    account_uri = excluded.account_uri,
    organization_uri = excluded.organization_uri,
    account_name = excluded.account_name,
    account_email = excluded.account_email,
    account_timezone = excluded.account_timezone,
    scheduling_url = excluded.scheduling_url,
    scopes = excluded.scopes,
    connected_at = excluded.connected_at,
    access_token_sealed = excluded.access_token_sealed,
    refresh_token_sealed = excluded.refresh_token_sealed,
    token_expires_at = excluded.token_expires_at,
    token_version = excluded.token_version,
    breaker_state = excluded.breaker_state,
    failed_refresh_count = excluded.failed_refresh_count,
    breaker_opened_at = excluded.breaker_opened_at,
    breaker_trips = excluded.breaker_trips,
    breaker_probe_until = excluded.breaker_probe_until,
    breaker_failed_at = excluded.breaker_failed_at,
    breaker_open_until = excluded.breaker_open_until,
    attention_cause = excluded.attention_cause,
    attention_since = excluded.attention_since,
    recovered_from = excluded.recovered_from,
    recovered_at = excluded.recovered_at,
    exchange_started_at = excluded.exchange_started_at,
    client_id = excluded.client_id,
    refused_at = NULL,
    refusals = NULL,
    exchange_unanswered = NULL,
    error_since = excluded.error_since,
    scopes_missing_since = NULL,
    last_error_code = excluded.last_error_code,
    refresh_lease_owner = NULL,
    refresh_lease_until = NULL,
    refresh_fence = i.refresh_fence + 1,
    next_refresh_at = NULL,
    sync_lease_owner = NULL,
    sync_lease_until = NULL,
    sync_due_at = excluded.sync_due_at,
    availability_version = i.availability_version + 1
RETURNING id
"""


class PiccoloIntegrations:
    def __init__(self, session: Session) -> None:
        self._session = session

    async def get(self, integration_id: IntegrationId) -> Integration | None:
        row = await self._session.row(_GET, integration_id)
        return None if row is None else to_integration(row)

    async def for_user(self, user_id: UserId, *, lock: bool = False) -> Integration | None:
        if lock:
            # The user's row represents an integration that does not exist yet: of two concurrent first
            # connects the second one finds the integration of the first.
            await self._session.row(_LOCK_USER, user_id)
        row = await self._session.row(_FOR_USER + (_LOCK if lock else ""), user_id)
        return None if row is None else to_integration(row)

    async def by_accounts(self, user_uris: Sequence[str]) -> list[Integration]:
        rows = await self._session.rows(_BY_ACCOUNTS, list(user_uris))
        return [to_integration(row) for row in rows]

    async def put_connected(self, integration: Integration) -> None:
        """Insert, or overwrite the user's row; that keeps its id and its subscription.

        Raises:
            ConnectStateInvalid: the user is being erased, or does not exist any more.

        """
        account = integration.account
        row = await self._session.row(
            _PUT_CONNECTED,
            integration.id,
            integration.user_id,
            str(integration.status),
            account.user_uri,
            account.organization_uri,
            account.name,
            account.email,
            account.timezone,
            account.scheduling_url,
            list(integration.scopes),
            integration.connected_at,
            *token_values(integration.tokens),
            *breaker_values(integration.breaker),
            *attention_values(integration.attention),
            integration.exchange_started_at,
            integration.last_error_code,
            *subscription_values(integration.subscription),
            *recovery_values(integration.recovery),
            integration.client_id,
            integration.error_since,
        )
        if row is None:
            raise ConnectStateInvalid(
                "The user of this connect flow was erased; start again from your application."
            )

    async def mark_disconnecting(self, integration_id: IntegrationId) -> None:
        row = await self._session.row(_MARK_DISCONNECTING, integration_id)
        if row is not None:
            await self._session.run(_FORGET_PARTS, row["id"])

    async def mark_all_disconnecting(self, user_id: UserId) -> Sequence[IntegrationId]:
        rows = await self._session.rows(_IDS_OF_USER, user_id)
        ids = [IntegrationId(row["public_id"]) for row in rows]
        for each in ids:
            await self.mark_disconnecting(each)
        return ids

    async def put_subscription(
        self, integration_id: IntegrationId, subscription: Subscription | None
    ) -> None:
        values = subscription_values(subscription)
        await self._session.run(_PUT_SUBSCRIPTION, integration_id, *values)

    async def put_calls_paused(self, integration_id: IntegrationId, until: datetime) -> None:
        await self._session.run(_PAUSE_CALLS, integration_id, until)

    async def clear_error(self, integration_id: IntegrationId, code: str) -> None:
        await self._session.run(_CLEAR_ERROR, integration_id, code)

    async def put_gap(self, integration_id: IntegrationId, gap: Gap) -> None:
        await self._session.run(_PUT_GAP, integration_id, gap.since, gap.until)

    async def put_reconciled(
        self,
        integration_id: IntegrationId,
        at: datetime,
        closes: Gap | None = None,
        error: str | None = None,
    ) -> None:
        await self._session.run(_PUT_RECONCILED, integration_id, at, *_ends(closes), error)

    async def put_unreconciled(
        self,
        integration_id: IntegrationId,
        error: str,
        goes_on_at: datetime | None,
        gap: Gap | None = None,
    ) -> None:
        await self._session.run(_PUT_UNRECONCILED, integration_id, error, goes_on_at, *_ends(gap))

    async def add_repairs(self, integration_id: IntegrationId, count: int, at: datetime) -> None:
        await self._session.run(_ADD_REPAIRS, integration_id, count, at)

    async def erase(self, integration_id: IntegrationId) -> Integration | None:
        """Delete the row and what refers to it or its user; foreign keys take the rest along.

        The lock on the row comes first. Transactions that store or apply its webhooks hold a key
        share of it to their end. So this waits for them before it deletes their rows.
        """
        row = await self._session.row(_LOCK_TO_ERASE, integration_id)
        if row is None:
            return None
        for statement in _ERASE_EVENTS, _ERASE_COMMANDS, _ERASE:
            await self._session.run(statement, row["id"])
        return to_integration(row)

    async def disconnecting(self, limit: int) -> list[Integration]:
        rows = await self._session.rows(_DISCONNECTING, limit)
        return [to_integration(row) for row in rows]

    async def live_after(self, after: IntegrationId | None, limit: int) -> list[Integration]:
        rows = await self._session.rows(_LIVE_AFTER, after, limit)
        return [to_integration(row) for row in rows]

    async def to_reconcile(
        self, place: Place, limit: int, *, only_unfinished: bool = False
    ) -> list[Integration]:
        statement = _UNFINISHED_TO_RECONCILE if only_unfinished else _ALL_TO_RECONCILE
        after = (place.after, place.compared_at)
        rows = await self._session.rows(statement, place.began_at, *after, limit)
        return [to_integration(row) for row in rows]

    async def oldest_reconciled(self) -> datetime | None:
        row = await self._session.row(_OLDEST_RECONCILED)
        return None if row is None else row["oldest"]


def _ends(gap: Gap | None) -> tuple[datetime | None, datetime | None]:
    return (None, None) if gap is None else (gap.since, gap.until)
