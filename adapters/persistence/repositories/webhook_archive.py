"""Stored webhooks for operators, by their public ids: version 7 ids, which grow with time."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from adapters.persistence.rows.webhook_body import open_body
from adapters.persistence.session import Session
from application.ports.storage.webhook_archive import StoredWebhook, WebhookQuery, WebhookStatus
from application.ports.vault import Vault
from domain.ids import IntegrationId, WebhookEventId

_SELECT = """
SELECT e.public_id, e.kind, e.status, e.attempts, e.reason, e.received_at, e.occurred_at,
    e.next_attempt_at, e.settled_at, i.public_id AS integration_public_id,
    r.replays, r.replayed_at, r.replayed_by
FROM {events} e
LEFT JOIN calendly_integration i ON i.id = e.integration_id
LEFT JOIN LATERAL (
    SELECT count(*) AS replays, max(replayed_at) AS replayed_at,
        (array_agg(replayed_by ORDER BY id DESC))[1] AS replayed_by
    FROM calendly_webhook_replay WHERE event_id = e.id
) r ON true
"""
# The status is a literal, or PostgreSQL could not use the index of dead letters.
_PAGE = """
SELECT * FROM calendly_webhook_event
WHERE public_id < coalesce($1::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
    AND ($2::text IS NULL OR reason = $2) {status}
ORDER BY public_id DESC LIMIT $3
"""
_FIND = _SELECT.format(events="calendly_webhook_event") + "WHERE e.public_id = $1"
_BODY = "SELECT public_id, body_sealed FROM calendly_webhook_event WHERE public_id = $1"
# Materialized: in a plan that repeats the search, its limit would start again each time.
_REPLAY = """
WITH chosen AS MATERIALIZED ({chosen}), replayed AS (
    UPDATE calendly_webhook_event e SET
        status = 'pending', attempts = 0, reason = NULL, settled_at = NULL,
        next_attempt_at = slotkeeper_now($3::timestamptz)
    FROM chosen WHERE e.id = chosen.id RETURNING e.id
)
INSERT INTO calendly_webhook_replay (event_id, replayed_at, replayed_by)
SELECT id, $3, $2 FROM replayed RETURNING event_id
"""
_REPLAY_NAMED = _REPLAY.format(
    chosen="""
        SELECT id FROM calendly_webhook_event WHERE public_id = ANY ($1::uuid[])
        ORDER BY public_id FOR NO KEY UPDATE
    """
)
_REPLAY_DEAD = _REPLAY.format(
    chosen="""
        SELECT id FROM calendly_webhook_event
        WHERE status = 'dead_lettered' AND ($1::text IS NULL OR reason = $1)
        ORDER BY public_id LIMIT $4 FOR NO KEY UPDATE SKIP LOCKED
    """
)


class PiccoloWebhookArchive:
    """Implements the WebhookArchive port."""

    def __init__(self, session: Session, vault: Vault) -> None:
        self._session = session
        self._vault = vault

    async def page(self, query: WebhookQuery) -> Sequence[StoredWebhook]:
        rows = await self._session.rows(
            page_statement(query.status), query.after, query.reason, query.limit
        )
        return [_to_webhook(row) for row in rows]

    async def find(self, event_id: WebhookEventId) -> StoredWebhook | None:
        row = await self._session.row(_FIND, event_id)
        return None if row is None else _to_webhook(row)

    async def body(self, event_id: WebhookEventId) -> bytes | None:
        row = await self._session.row(_BODY, event_id)
        return None if row is None else open_body(row, self._vault)

    async def replay(self, event_ids: Sequence[WebhookEventId], by: str, now: datetime) -> int:
        return len(await self._session.rows(_REPLAY_NAMED, list(event_ids), by, now))

    async def replay_dead_letters(
        self, by: str, now: datetime, limit: int, reason: str | None = None
    ) -> int:
        return len(await self._session.rows(_REPLAY_DEAD, reason, by, now, limit))


def page_statement(status: WebhookStatus | None) -> str:
    """Return the statement that reads a page of one status; None: of all."""
    page = _PAGE.format(status="" if status is None else f"AND status = '{status}'")
    return _SELECT.format(events=f"({page})") + "ORDER BY e.public_id DESC"


def _to_webhook(row: Any) -> StoredWebhook:
    status, integration_id = WebhookStatus(row["status"]), row["integration_public_id"]
    return StoredWebhook(
        id=WebhookEventId(row["public_id"]),
        kind=row["kind"],
        status=status,
        attempts=row["attempts"],
        reason=row["reason"],
        received_at=row["received_at"],
        occurred_at=row["occurred_at"],
        next_attempt_at=row["next_attempt_at"] if status is WebhookStatus.PENDING else None,
        settled_at=row["settled_at"],
        integration_id=None if integration_id is None else IntegrationId(integration_id),
        replays=row["replays"],
        replayed_at=row["replayed_at"],
        replayed_by=row["replayed_by"],
    )
