"""The rows that the job's claim reads in a table where few rows, or none, may be claimed.

PostgreSQL reports its plan, executed and rolled back. A claim that reads the table instead of its
index shows as rows removed by a filter.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import msgspec

from adapters.persistence.repositories import refresh_queue
from bench.report import Check

INDEX = "calendly_integration_refresh_due"
PAGE = 100

_USERS = """
INSERT INTO app_user (public_id, external_id, created_at)
SELECT gen_random_uuid(), 'user-' || n, now() FROM generate_series(1, $1) n
"""
# Rows as wide as real ones.
_ROWS = """
INSERT INTO calendly_integration (public_id, user_id, status, account_uri, organization_uri,
    account_name, account_email, account_timezone, scheduling_url, scopes, connected_at,
    access_token_sealed, refresh_token_sealed, token_expires_at, token_version,
    last_refreshed_at, breaker_state, failed_refresh_count, breaker_trips, breaker_failed_at,
    refresh_fence, token_requests, sync_due_at, availability_version)
SELECT gen_random_uuid(), u.id, 'active', 'https://api.calendly.com/users/' || u.id,
    'https://api.calendly.com/organizations/1', 'Host', 'host@example.com', 'UTC',
    'https://calendly.com/host', '{users:read}', now(), repeat('x', 400), repeat('y', 150),
    now() + interval '80 minutes' + random() * interval '40 minutes', 1,
    now() - interval '10 minutes',
    'closed', 0, 0, '{}', 0, 0, now() + interval '1 day', 0
FROM app_user u
"""
# Spread over the table, as real expiries are.
_DUE = """
UPDATE calendly_integration SET token_expires_at = now() + interval '5 minutes',
    last_refreshed_at = now() - interval '2 hours'
WHERE id IN (SELECT id FROM calendly_integration ORDER BY md5(id::text) LIMIT $1)
"""


class Reading(msgspec.Struct, frozen=True):
    """The work of one claim.

    Args:
        claimed: rows.
        index: the index that was used, or None.
        pages: pages of 8 KB read to find the rows, from memory or disk.
        discarded: rows that were fetched and not claimed.
        milliseconds: of the whole claim.

    """

    claimed: int
    index: str | None
    pages: int
    discarded: int
    milliseconds: float


async def fill(connection: asyncpg.Connection, rows: int) -> None:
    """Insert so many integrations, all of them refreshed ten minutes ago."""
    await connection.execute(_USERS, rows)
    await connection.execute(_ROWS)
    await connection.execute("VACUUM ANALYZE calendly_integration")


async def make_due(connection: asyncpg.Connection, rows: int) -> None:
    """Let the tokens of so many of them expire soon."""
    await connection.execute(_DUE, rows)
    await connection.execute("VACUUM ANALYZE calendly_integration")


async def claim(connection: asyncpg.Connection, horizon: timedelta) -> Reading:
    """Claim a page, read how that was done, and roll it back."""
    now = datetime.now(UTC)
    late = now - timedelta(minutes=30)
    bound = (now, now + timedelta(seconds=90), now + horizon, PAGE, late, None)
    explain = f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {refresh_queue._CLAIM_DUE}"  # noqa: SLF001
    transaction = connection.transaction()
    await transaction.start()
    explained = await connection.fetchval(explain, "bench", *bound)
    await transaction.rollback()
    (plan,) = msgspec.json.decode(explained)
    due = next(each for each in _nodes(plan["Plan"]) if _finds_due_rows(each))
    return Reading(
        claimed=int(plan["Plan"]["Actual Rows"]),
        index=next((each["Index Name"] for each in _nodes(due) if "Index Name" in each), None),
        pages=due["Shared Hit Blocks"] + due["Shared Read Blocks"],
        discarded=due.get("Rows Removed by Filter", 0),
        milliseconds=plan["Execution Time"],
    )


def _nodes(plan: dict[str, Any]) -> list[dict[str, Any]]:
    return [plan, *(node for each in plan.get("Plans", ()) for node in _nodes(each))]


def _finds_due_rows(node: dict[str, Any]) -> bool:
    scans = node.get("Relation Name") == "calendly_integration" and node.get("Alias") != "i"
    return scans and "Scan" in node["Node Type"]


async def check(connection: asyncpg.Connection, rows: int, due: int) -> Check:
    """Fill an empty database and claim from it: nothing due, little due, all just refreshed."""
    await fill(connection, rows)
    idle = await claim(connection, timedelta(minutes=75))
    # With a horizon beyond every expiry, only their recent refresh keeps the rows unclaimed.
    new = await claim(connection, timedelta(hours=3))
    await make_due(connection, due)
    busy = await claim(connection, timedelta(minutes=75))
    readings = {"nothing due": idle, "all just refreshed": new, f"{due:,} due": busy}
    return Check(
        subject=f"claim of a page among {rows:,} integrations",
        requirement="by the partial index alone, no row fetched and not claimed",
        measured="; ".join(
            f"{name}: {each.claimed} claimed, {each.pages} pages, {each.discarded} not claimed,"
            f" {each.milliseconds:.1f} ms"
            for name, each in readings.items()
        ),
        passed=all(each.index == INDEX for each in readings.values())
        and not any(each.discarded for each in readings.values())
        and (idle.claimed, new.claimed, busy.claimed) == (0, 0, min(PAGE, due)),
    )
