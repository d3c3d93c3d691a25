"""Webhooks in calendly_webhook_event; each body is encrypted for its row."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from adapters.persistence.database_clock import database_now, database_time
from adapters.persistence.rows.webhook_body import open_body, seal_body
from adapters.persistence.session import Session
from application.ports.storage.webhook_events import NewEvent, WebhookEvent
from application.ports.vault import Vault
from domain.errors import SealedValueUnreadable
from domain.ids import IntegrationId, UserId, WebhookEventId

# In the order of the keys, so that two overlapping batches never wait for each other in a circle.
_STORE = """
INSERT INTO calendly_webhook_event (
    public_id, dedupe_key, kind, body_sealed, received_at, occurred_at, integration_id, user_id,
    attempts, status, reason, settled_at, next_attempt_at
)
SELECT e.id, e.key, e.kind, e.body, e.received_at, e.occurred_at, i.id, u.id,
    0, e.status, e.reason, e.settled_at, slotkeeper_now(e.received_at)
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::timestamptz[],
    $6::timestamptz[], $7::uuid[], $8::uuid[], $9::text[], $10::text[], $11::timestamptz[])
    AS e (id, key, kind, body, received_at, occurred_at, integration_id, user_id, status, reason,
    settled_at)
LEFT JOIN calendly_integration i ON i.public_id = e.integration_id
LEFT JOIN app_user u ON u.public_id = e.user_id
ORDER BY e.key
ON CONFLICT (dedupe_key) DO NOTHING RETURNING dedupe_key
"""
# An applied event keeps its status, even if a worker that lost its claim reports later.
_SETTLE = """
UPDATE calendly_webhook_event
SET status = $2, settled_at = $3, reason = $4
WHERE public_id = $1 AND status IN ('pending', 'dead_lettered')
"""
_FAILED = """
UPDATE calendly_webhook_event SET
    status = CASE WHEN $3::timestamptz IS NULL THEN 'dead_lettered' ELSE 'pending' END,
    attempts = attempts + 1, reason = $2,
    next_attempt_at = coalesce($3, next_attempt_at)
WHERE public_id = $1 AND status = 'pending'
"""
_RETRY_LATER = """
UPDATE calendly_webhook_event SET reason = $2, next_attempt_at = $3
WHERE id = (
    SELECT id FROM calendly_webhook_event WHERE public_id = $1 AND status = 'pending'
    FOR NO KEY UPDATE SKIP LOCKED
)
"""
_COLUMNS = "e.*, i.public_id AS integration_public_id, u.public_id AS user_public_id"
_RELATIVES = """
LEFT JOIN calendly_integration i ON i.id = e.integration_id
LEFT JOIN app_user u ON u.id = e.user_id
"""
_CLAIM_PENDING = f"""
WITH due AS (
    SELECT id FROM calendly_webhook_event
    WHERE status = 'pending' AND next_attempt_at <= {database_now("$1")}
    ORDER BY received_at, id LIMIT $3
    FOR NO KEY UPDATE SKIP LOCKED
), e AS (
    UPDATE calendly_webhook_event claimed SET next_attempt_at = {database_time("$2", "$1")}
    FROM due WHERE claimed.id = due.id RETURNING claimed.*
)
SELECT {_COLUMNS} FROM e {_RELATIVES} ORDER BY e.received_at, e.id
"""
# The statuses are literals, or PostgreSQL could not use their partial indexes.
_UNAPPLIED = f"""
SELECT {_COLUMNS} FROM (
    SELECT * FROM calendly_webhook_event WHERE status = 'pending' AND received_at >= $3
    UNION ALL
    SELECT * FROM calendly_webhook_event WHERE status = 'dead_lettered' AND received_at >= $3
) e {_RELATIVES}
WHERE e.kind = ANY ($2) AND (
    i.public_id = $1 OR e.integration_id IS NULL AND (
        e.user_id IS NULL
        OR e.user_id = (SELECT user_id FROM calendly_integration WHERE public_id = $1)
    )
)
ORDER BY e.received_at DESC, e.id DESC LIMIT $4
"""


class PiccoloWebhookEvents:
    """Implements the WebhookEvents port."""

    def __init__(self, session: Session, vault: Vault) -> None:
        self._session = session
        self._vault = vault

    async def store(self, events: Sequence[NewEvent]) -> Collection[str]:
        """Insert them in one statement, in the order of their keys."""
        if not events:
            return frozenset()
        columns = zip(*map(self._values, events), strict=True)
        rows = await self._session.rows(_STORE, *map(list, columns))
        return {row["dedupe_key"] for row in rows}

    async def applied(self, event_id: WebhookEventId, now: datetime) -> None:
        await self._session.run(_SETTLE, event_id, "applied", now, None)

    async def ignored(self, event_id: WebhookEventId, reason: str, now: datetime) -> None:
        await self._session.run(_SETTLE, event_id, "ignored", now, reason)

    async def failed(
        self, event_id: WebhookEventId, code: str, next_attempt_at: datetime | None
    ) -> None:
        await self._session.run(_FAILED, event_id, code, next_attempt_at)

    async def retry_later(
        self, event_id: WebhookEventId, code: str, next_attempt_at: datetime
    ) -> None:
        await self._session.run(_RETRY_LATER, event_id, code, next_attempt_at)

    async def unapplied(
        self,
        integration_id: IntegrationId,
        kinds: Collection[str],
        since: datetime,
        limit: int,
    ) -> Sequence[WebhookEvent]:
        rows = await self._session.rows(_UNAPPLIED, integration_id, sorted(kinds), since, limit)
        return [self._opened(row) for row in rows]

    async def claim_pending(
        self, now: datetime, until: datetime, limit: int
    ) -> Sequence[WebhookEvent]:
        rows = await self._session.rows(_CLAIM_PENDING, now, until, limit)
        return [self._opened(row) for row in rows]

    def _values(self, new: NewEvent) -> tuple[object, ...]:
        event = new.event
        return (
            event.id,
            event.dedupe_key,
            event.kind,
            seal_body(event.id, event.body, self._vault),
            event.received_at,
            event.occurred_at,
            event.integration_id,
            event.user_id,
            str(new.status),
            new.reason,
            new.settled_at,
        )

    def _opened(self, row: Any) -> WebhookEvent:
        try:
            return _to_event(row, open_body(row, self._vault))
        except SealedValueUnreadable as error:
            return _to_event(row, b"", fault=error.code)


def _to_event(row: Any, body: bytes, fault: str | None = None) -> WebhookEvent:
    integration_id, user_id = row["integration_public_id"], row["user_public_id"]
    return WebhookEvent(
        id=WebhookEventId(row["public_id"]),
        dedupe_key=row["dedupe_key"],
        kind=row["kind"],
        body=body,
        received_at=row["received_at"],
        occurred_at=row["occurred_at"],
        integration_id=None if integration_id is None else IntegrationId(integration_id),
        user_id=None if user_id is None else UserId(user_id),
        attempts=row["attempts"],
        fault=fault,
    )
