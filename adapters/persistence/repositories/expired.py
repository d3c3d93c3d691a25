"""Deleting what is over, a page at a time, along the order in which it was stored."""

from datetime import datetime

from adapters.persistence.database_clock import indexable_now
from adapters.persistence.session import Session, required
from application.ports.storage.expired import PrunedPage
from domain.ids import WebhookEventId
from domain.retention import Cutoffs

# A dead letter's `next_attempt_at` stays what it was at its last attempt: when it was given up.
_PRUNE_WEBHOOKS = """
WITH page AS MATERIALIZED (
    SELECT id, public_id, received_at FROM calendly_webhook_event
    WHERE public_id > coalesce($1::uuid, '00000000-0000-0000-0000-000000000000')
    ORDER BY public_id LIMIT $4
), over AS MATERIALIZED (
    SELECT e.id FROM calendly_webhook_event e
    WHERE e.id IN (SELECT id FROM page) AND (
        e.status IN ('applied', 'ignored') AND e.settled_at < $2
        OR e.status = 'dead_lettered' AND e.next_attempt_at < $3
    )
    FOR UPDATE OF e SKIP LOCKED
), gone AS (
    DELETE FROM calendly_webhook_event e USING over WHERE e.id = over.id RETURNING e.status
)
SELECT
    (SELECT count(*) FROM page) AS examined,
    (SELECT public_id FROM page ORDER BY public_id DESC LIMIT 1) AS last,
    (SELECT min(received_at) FROM page) AS oldest,
    (SELECT count(*) FROM gone WHERE status <> 'dead_lettered') AS settled,
    (SELECT count(*) FROM gone WHERE status = 'dead_lettered') AS dead_letters
"""
_PRUNE_ATTEMPTS = """
DELETE FROM calendly_connect_attempt WHERE id IN (
    SELECT id FROM calendly_connect_attempt WHERE expires_at < $1
    ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED
) RETURNING id
"""
# A held flow ends by PostgreSQL's clock. Its code is deleted with it.
_PRUNE_HELD = f"""
DELETE FROM calendly_connect_attempt WHERE id IN (
    SELECT id FROM calendly_connect_attempt WHERE held_until < {indexable_now("$1")}
    ORDER BY held_until LIMIT $2 FOR UPDATE SKIP LOCKED
) RETURNING id
"""
# By the order in which they were stored, which is that of their times, unless clocks are skewed. A
# trigger refuses those of the last 30 days, so an entry with a wrong time waits for its turn.
_PRUNE_AUDIT = """
DELETE FROM audit_entry WHERE id IN (
    SELECT id FROM (SELECT id, at FROM audit_entry ORDER BY id LIMIT $2) oldest
    WHERE at < least($1, clock_timestamp() - interval '30 days')
)
RETURNING id
"""
_PRUNE_COMMANDS = """
DELETE FROM calendly_booking_command WHERE id IN (
    SELECT id FROM calendly_booking_command WHERE done_at < $1
    ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED
) RETURNING id
"""


class PiccoloExpired:
    def __init__(self, session: Session) -> None:
        self._session = session

    async def prune_webhooks(
        self, cutoffs: Cutoffs, after: WebhookEventId | None, limit: int
    ) -> PrunedPage:
        row = required(
            await self._session.row(
                _PRUNE_WEBHOOKS, after, cutoffs.settled, cutoffs.dead_letters, limit
            )
        )
        # An event that arrived after the later cutoff cannot have been settled before it.
        ends = row["examined"] < limit or row["oldest"] >= max(
            cutoffs.settled, cutoffs.dead_letters
        )
        return PrunedPage(
            examined=row["examined"],
            settled=row["settled"],
            dead_letters=row["dead_letters"],
            after=None if ends else WebhookEventId(row["last"]),
        )

    async def prune_connect_attempts(self, before: datetime, limit: int) -> int:
        return len(await self._session.rows(_PRUNE_ATTEMPTS, before, limit))

    async def prune_held_codes(self, now: datetime, limit: int) -> int:
        return await prune_held_codes(self._session, now, limit)

    async def prune_audit(self, before: datetime, limit: int) -> int:
        return len(await self._session.rows(_PRUNE_AUDIT, before, limit))

    async def prune_commands(self, before: datetime, limit: int) -> int:
        return len(await self._session.rows(_PRUNE_COMMANDS, before, limit))


async def prune_held_codes(session: Session, now: datetime, limit: int) -> int:
    """Delete up to `limit` flows whose code was held too long; return how many."""
    return len(await session.rows(_PRUNE_HELD, now, limit))
