"""The operating page's SQL, carried out as written."""

from datetime import UTC, datetime

import asyncpg

from domain.secret import Secret
from tests.docs.pages import OPERATING

_DEAD_LETTER = """
INSERT INTO calendly_webhook_event (
    public_id, dedupe_key, kind, body_sealed, received_at, occurred_at, status, attempts,
    next_attempt_at, reason
) VALUES (gen_random_uuid(), 'k', 'invitee.created', 'v1', $1, $1, 'dead_lettered', 10, $1, 'x')
"""


async def test_dead_letters_are_found_and_put_back(database_url: Secret) -> None:
    """The first statement lists a dead letter; after the second a worker would take it up."""
    listing, putting_back = [each.text for each in OPERATING.blocks if each.language == "sql"]
    connection = await asyncpg.connect(database_url.reveal())
    await connection.execute(_DEAD_LETTER, datetime(2026, 1, 1, tzinfo=UTC))

    found = await connection.fetch(listing)
    await connection.execute(putting_back)
    due = await connection.fetchval(
        "SELECT status = 'pending' AND attempts = 0 AND next_attempt_at <= clock_timestamp()"
        " FROM calendly_webhook_event"
    )
    await connection.close()

    assert [(row["attempts"], row["reason"]) for row in found] == [(10, "x")]
    assert due is True
