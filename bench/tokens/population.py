"""Integrations with valid tokens of a sandbox, and when those expire."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from bench.population import LONG_AGO, connect, sandbox_grants
from bench.stack import Stack, open_stack

_BATCH = 5_000
_LATER = timedelta(hours=10)  # beyond the horizon of the job

# Rows are numbered in the order of insertion.
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


@asynccontextmanager
async def open_token_stack(users: int) -> AsyncIterator[Stack]:
    """Start PostgreSQL, Temporal, and a sandbox with so many users."""
    async with open_stack(temporal=True) as stack:
        with stack.sandbox(users):
            # Unthrottled, as the bare loop is.
            stack.variables["REFRESH_RATE"] = "0"
            yield stack


async def populate(stack: Stack, count: int) -> None:
    """Connect the first users of the sandbox; none of their tokens is due."""
    for start in range(0, count, _BATCH):
        grants = await sandbox_grants(stack.calendly_url, start, min(_BATCH, count - start))
        await connect(stack, grants, lasting=_LATER)


async def make_due(stack: Stack, offset: int, count: int) -> None:
    """Let the tokens of these integrations expire soon."""
    now = datetime.now(UTC)
    async with stack.connection() as connection:
        soon = now + timedelta(minutes=10)
        await connection.execute(_DUE, offset, count, soon, now - LONG_AGO)
        await connection.execute("CHECKPOINT")


async def states(stack: Stack) -> dict[str, int]:
    """Return how many integrations were refreshed, lost, and left leased or unsettled."""
    async with stack.connection() as connection:
        return dict(await connection.fetchrow(_STATES))
