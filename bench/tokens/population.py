"""Users with live grants at the sandbox, and when their tokens fall due."""

from datetime import UTC, datetime, timedelta

import asyncpg

from bench.population import LONG_AGO, Grant, connect, sandbox_grants
from bench.tokens.stage import Stage

_AT_ONCE = 5_000
_FAR = timedelta(hours=10)  # beyond the horizon of the job

# Rows are numbered in the order they came in.
_DUE = """
UPDATE calendly_integration SET token_expires_at = $3, last_refreshed_at = $4
WHERE id IN (SELECT id FROM calendly_integration ORDER BY id OFFSET $1 LIMIT $2)
"""
_STATES = """
SELECT count(*) FILTER (WHERE token_version > 1) AS refreshed,
    count(*) FILTER (WHERE status <> 'active') AS lost,
    count(*) FILTER (WHERE refresh_lease_owner IS NOT NULL) AS leased,
    count(*) FILTER (WHERE exchange_started_at IS NOT NULL) AS unsettled
FROM calendly_integration
"""


async def grants(stage: Stage, offset: int, count: int) -> list[Grant]:
    """Open a grant of each of these users."""
    return await sandbox_grants(stage.sandbox_url, offset, count)


async def populate(stage: Stage, count: int) -> None:
    """Make so many integrations, none of them due, each with a grant of its own."""
    for start in range(0, count, _AT_ONCE):
        made = await grants(stage, start, min(_AT_ONCE, count - start))
        await connect(stage, made, lasting=_FAR)


async def make_due(stage: Stage, offset: int, count: int) -> None:
    """Let the tokens of these integrations die soon."""
    now = datetime.now(UTC)
    connection = await asyncpg.connect(stage.postgres.dsn)
    soon = now + timedelta(minutes=10)
    await connection.execute(_DUE, offset, count, soon, now - LONG_AGO)
    await connection.execute("CHECKPOINT")
    await connection.close()


async def states(stage: Stage) -> dict[str, int]:
    """Return how many integrations were refreshed, lost, and left leased or unsettled."""
    connection = await asyncpg.connect(stage.postgres.dsn)
    row = await connection.fetchrow(_STATES)
    await connection.close()
    return dict(row)
