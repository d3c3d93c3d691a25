"""The rows that statements of the availability cache read in tables with many rows."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
import pytest

from adapters.local_stack.postgres.server import EmbeddedPostgres
from adapters.persistence.database_clock import CALLERS_CLOCK
from adapters.persistence.lookups import version_lookup as versions
from adapters.persistence.migrate import migrate
from adapters.persistence.repositories import availability_cache, bookings, sync_queue
from adapters.persistence.repositories import cache_snapshots as cache_lookup
from application.ports.storage.availability_cache import CacheKey, CacheKind
from domain.availability import Window
from domain.ids import UserId
from domain.secret import Secret
from tests.fakes.clock import NOON

USERS = 1500
DUE = 30
ENTRIES_EACH = 5
NEAR = CacheKey(CacheKind.SLOTS, "https://api.calendly.com/event_types/1")
FILL = f"""
INSERT INTO app_user (public_id, external_id, created_at)
SELECT gen_random_uuid(), 'user-' || n, $1 FROM generate_series(1, {USERS}) n;
"""
INTEGRATIONS = """
INSERT INTO calendly_integration (public_id, user_id, status, account_uri, organization_uri,
    account_name, account_email, account_timezone, scheduling_url, scopes, connected_at,
    access_token_sealed, refresh_token_sealed, token_expires_at, token_version, breaker_state,
    failed_refresh_count, breaker_trips, breaker_failed_at, refresh_fence, token_requests,
    sync_due_at, availability_read_at, availability_version)
SELECT gen_random_uuid(), u.id, 'active', 'https://api.calendly.com/users/' || u.id, 'org', 'Host',
    'host@example.com', 'UTC', 'https://calendly.com/host', '{}', $1, repeat('x', 400),
    repeat('y', 150), $1, 1, 'closed', 0, 0, '{}', 0, 0,
    $1::timestamptz + CASE WHEN u.id <= $2 THEN interval '-1 hour' ELSE interval '1 hour' END,
    $1::timestamptz - u.id * interval '1 minute', 0
FROM app_user u
"""
PARTS = """
INSERT INTO calendly_availability_cache (user_id, integration_id, part, key, content, fetched_at)
SELECT i.user_id, i.id, p.part, p.key, '[]', $1
FROM calendly_integration i, (VALUES ('event_types', ''), ('busy', ''), ('schedules', ''),
    ('slots', 'https://api.calendly.com/event_types/1'),
    ('slots', 'https://api.calendly.com/event_types/2')) AS p (part, key)
"""
# Most of what a host had is over.
BOOKINGS = """
INSERT INTO calendly_booking (public_id, user_id, integration_id, invitee_uri, event_uri, status,
    created_at, updated_at, event_name, start_at, end_at, invitee_name, invitee_email, host_uris)
SELECT gen_random_uuid(), i.user_id, i.id, 'invitee-' || n, 'event-' || n, 'booked', $1, $1,
    'Intro', $1::timestamptz + (n - 36) * interval '1 day',
    $1::timestamptz + (n - 36) * interval '1 day' + interval '1 hour', '', '', '{}'
FROM calendly_integration i, generate_series(1, 40) n
"""
# For most hosts one was applied; for some all recent ones are pending.
WEBHOOKS = """
INSERT INTO calendly_webhook_event (public_id, dedupe_key, kind, body_sealed, received_at,
    occurred_at, integration_id, user_id, status, attempts, next_attempt_at, settled_at)
SELECT gen_random_uuid(), i.id || '-' || n, 'invitee.created', '', $1::timestamptz - n * interval
    '1 minute', $1, i.id, i.user_id, what.status, 0, $1,
    CASE WHEN what.status = 'applied' THEN $1::timestamptz END
FROM calendly_integration i, generate_series(1, 10) n,
    LATERAL (SELECT CASE WHEN i.id % 10 = 0 THEN 'pending' ELSE 'applied' END) what (status)
"""


async def _fill(postgres: EmbeddedPostgres) -> Secret:
    connection = await asyncpg.connect(postgres.dsn)
    await connection.execute("CREATE DATABASE many_users")
    await connection.close()
    address = Secret(postgres.dsn_of("many_users"))
    await migrate(address)
    connection = await asyncpg.connect(address.reveal())
    await connection.execute(FILL, NOON)
    await connection.execute(INTEGRATIONS, NOON, DUE)
    await connection.execute(PARTS, NOON)
    await connection.execute(BOOKINGS, NOON)
    await connection.execute(WEBHOOKS, NOON)
    await connection.execute("VACUUM ANALYZE")
    await connection.close()
    return address


@pytest.fixture(scope="module")
def many_users(postgres: EmbeddedPostgres) -> Secret:
    """The address of a database with many users, few of them due."""
    with ThreadPoolExecutor(1) as thread:  # with a loop of its own, away from the tests' loops
        return thread.submit(asyncio.run, _fill(postgres)).result()


@pytest.fixture
async def sql(many_users: Secret) -> AsyncIterator[asyncpg.Connection]:
    """A connection to it, whose changes are undone."""
    connection = await asyncpg.connect(many_users.reveal(), server_settings=CALLERS_CLOCK)
    # The plan that a connection chooses for a statement that it repeats.
    await connection.execute("SET plan_cache_mode = force_generic_plan")
    transaction = connection.transaction()
    await transaction.start()
    yield connection
    await transaction.rollback()
    await connection.close()


class Access(msgspec.Struct, frozen=True):
    """How a plan got at the rows of one table.

    Args:
        index: by which, or None when it read the table from end to end.
        rows: that it used.
        discarded: rows that it fetched without using them.

    """

    index: str | None
    rows: int
    discarded: int


async def accesses(sql: asyncpg.Connection, statement: str, *values: Any) -> dict[str, Access]:
    """Run a statement; return how it got at each table's rows, by the alias of the table."""
    explained = await sql.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", *values)
    (plan,) = msgspec.json.decode(explained)
    return {
        node["Alias"]: Access(
            index=_index(node),
            rows=node["Actual Rows"] * node["Actual Loops"],
            discarded=sum(
                count for name, count in node.items() if name.startswith("Rows Removed")
            ),
        )
        for node in _nodes(plan["Plan"])
        if "Relation Name" in node and "Scan" in node["Node Type"]
    }


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for each in plan.get("Plans", ()):
        yield from _nodes(each)


def _index(node: dict[str, Any]) -> str | None:
    return next((each["Index Name"] for each in _nodes(node) if "Index Name" in each), None)


async def someone(sql: asyncpg.Connection) -> UUID:
    """Return one of the many users with pending webhooks."""
    found: UUID = await sql.fetchval("SELECT public_id FROM app_user WHERE id = 700")
    return found


async def of_someone(sql: asyncpg.Connection) -> UUID:
    """Return the integration of one of the many users with pending webhooks."""
    found: UUID = await sql.fetchval(
        "SELECT public_id FROM calendly_integration WHERE id % 10 = 0 ORDER BY id LIMIT 1"
    )
    return found


async def test_snapshot(sql: asyncpg.Connection) -> None:
    """A look reads rows of its user alone, by unique indexes, and no booking that is over."""
    user_id = UserId(await someone(sql))
    wanted = [CacheKey(CacheKind.EVENT_TYPES), NEAR, CacheKey(CacheKind.SLOTS, f"{NEAR.key}#671")]
    span = Window(start=NOON, end=NOON + timedelta(days=31))
    values = cache_lookup.values_of(user_id, wanted, span)

    seen = await accesses(sql, cache_lookup.statement(len(wanted)), *values)

    entries = seen.pop("c")
    assert seen == {
        "u": Access("app_user_public_id_key", 1, 0),
        "i": Access("calendly_integration_one_staying", 1, 0),
        "b": Access("calendly_booking_occupied", 5, 0),
        "e": Access("calendly_webhook_event_pending_of_user", 1, 0),
    }
    # All of a user's entries or each by itself, as PostgreSQL estimates.
    assert (entries.index, entries.discarded) == ("calendly_availability_cache_one_row_a_part", 0)
    assert entries.rows <= ENTRIES_EACH


async def test_heads(sql: asyncpg.Connection) -> None:
    """Heads are found by their integration, and what waits of its user once for all of them."""
    integration_id = await of_someone(sql)

    seen = await accesses(sql, availability_cache._ENTRIES, integration_id)

    assert seen["c"] == Access("calendly_availability_cache_integration_id", ENTRIES_EACH, 0)
    assert seen["e"] == Access("calendly_webhook_event_pending_of_user", 1, 0)


async def test_version(sql: asyncpg.Connection) -> None:
    """A pending webhook is found by its user, for any number of other users' webhooks."""
    integration_id = await of_someone(sql)

    seen = await accesses(sql, versions._CURRENT, [b"k" * 32], [integration_id])

    assert seen["i"] == Access("calendly_integration_live", 1, 0)
    assert seen["e"] == Access("calendly_webhook_event_pending_of_user", 1, 0)


async def test_freshness(sql: asyncpg.Connection) -> None:
    """Bookings in a span are found by their host and time, without any other host's rows."""
    integration_id = await sql.fetchval("SELECT public_id FROM calendly_integration LIMIT 1")
    day = timedelta(days=1)

    seen = await accesses(
        sql, bookings._ACTIVE_EVENTS, integration_id, NOON, NOON + 3 * day, NOON + day
    )

    assert seen["i"] == Access("calendly_integration_public_id_key", 1, 0)
    assert seen["b"] == Access("calendly_booking_page", 3, 0)


@pytest.mark.parametrize(("at", "claimed"), [(NOON, DUE), (NOON - timedelta(hours=2), 0)])
async def test_claim(sql: asyncpg.Connection, at: datetime, claimed: int) -> None:
    """A claim reads what is due, and nothing when nothing is."""
    seen = await accesses(sql, sync_queue._CLAIM_DUE, "me", at, at + timedelta(minutes=2), 100)

    assert seen["i"] == Access("calendly_integration_sync_due", claimed, 0)


async def test_claim_when_all_are_due(sql: asyncpg.Connection) -> None:
    """A claim of a page reads that page only, for any number of due users."""
    await sql.execute("UPDATE calendly_integration SET sync_due_at = $1", NOON)
    await sql.execute("ANALYZE calendly_integration")

    seen = await accesses(sql, sync_queue._CLAIM_DUE, "me", NOON, NOON + timedelta(minutes=2), 8)

    assert seen["i"] == Access("calendly_integration_sync_turn", 8, 0)


async def test_marks(sql: asyncpg.Connection) -> None:
    """Marking what was read goes to each user and part by unique indexes."""
    user_id = await someone(sql)
    entries = [CacheKind.EVENT_TYPES, CacheKind.SLOTS]

    seen = await accesses(
        sql,
        availability_cache._MARK_READ,
        [user_id] * 2,
        [str(each) for each in entries],
        ["", NEAR.key],
        [NOON] * 2,
    )

    assert {each.index for each in seen.values()} <= {
        "app_user_public_id_key",
        "calendly_integration_one_staying",
        "calendly_availability_cache_one_row_a_part",
        "calendly_availability_cache_pkey",
        "calendly_integration_pkey",
    }
    assert max(each.rows + each.discarded for each in seen.values()) <= len(entries)
