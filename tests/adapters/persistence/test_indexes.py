import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from adapters.local_stack.postgres.server import EmbeddedPostgres
from adapters.persistence.migrate import migrate
from adapters.persistence.repositories import (
    availability_cache,
    bookings,
    cache_snapshots,
    connect_attempts,
    expired,
    integrations,
    personal_data,
    refresh_queue,
    webhook_archive,
    webhook_events,
)
from application.ports.storage.webhook_archive import WebhookStatus
from domain.secret import Secret
from tests.fakes.clock import NOON

LATER = NOON + timedelta(hours=1)
UNAPPLIED = (webhook_events._UNAPPLIED, ("USER", ["kind"], NOON, 100))
QUERIES: dict[str, tuple[str, tuple[Any, ...]]] = {
    "calendly_integration_refresh_due": (
        refresh_queue._CLAIM_DUE,
        ("me", NOON, LATER, LATER, 100, NOON, "client"),
    ),
    "calendly_integration_live": (integrations._LIVE_AFTER, (None, 100)),
    "calendly_integration_reconcile_turn": (
        integrations._ALL_TO_RECONCILE,
        (NOON, None, None, 100),
    ),
    "calendly_integration_unfinished": (
        integrations._UNFINISHED_TO_RECONCILE,
        (NOON, None, None, 100),
    ),
    "calendly_integration_account": (integrations._BY_ACCOUNTS, (["uri"],)),
    "calendly_webhook_event_pending": (webhook_events._CLAIM_PENDING, (NOON, LATER, 100)),
    "calendly_webhook_event_pending_of_user": (availability_cache._ENTRIES, ("USER",)),
    "calendly_webhook_event_dead_letters": (
        webhook_archive.page_statement(WebhookStatus.DEAD_LETTERED),
        (None, None, 50),
    ),
    "calendly_webhook_event_public_id_key": (
        expired._PRUNE_WEBHOOKS,
        ("USER", NOON, NOON, 100),
    ),
    "calendly_booking_page": (bookings._PAGE, ("USER", [], None, None, None, None, 50)),
    "calendly_booking_one_row_an_invitee": (bookings._BY_INVITEE, ("USER", "uri")),
    "calendly_booking_event": (bookings._RELATED, ([], [], ["USER"], ["uri"], [True])),
    "calendly_booking_occupied": (cache_snapshots.statement(0), ("USER", NOON, LATER)),
    "calendly_integration_colleagues": (bookings._HELD_ELSEWHERE, ("USER", ["uri"])),
    "calendly_connect_attempt_handle": (connect_attempts._TAKE_HELD, (b"h" * 32, NOON)),
    "calendly_connect_attempt_held": (expired._PRUNE_HELD, (NOON, 100)),
    "calendly_availability_cache_one_row_a_part": (
        availability_cache._READ,
        ("USER", "slots", "key"),
    ),
}


async def _prepare(postgres: EmbeddedPostgres) -> Secret:
    connection = await asyncpg.connect(postgres.dsn)
    await connection.execute("CREATE DATABASE never_used")
    await connection.close()
    address = Secret(postgres.dsn_of("never_used"))
    await migrate(address)
    return address


@pytest.fixture(scope="module")
def never_used(postgres: EmbeddedPostgres) -> Secret:
    """The address of a database without rows or statistics: they would decide between equals."""
    with ThreadPoolExecutor(1) as thread:  # with a loop of its own, away from the tests' loops
        return thread.submit(asyncio.run, _prepare(postgres)).result()


ALSO: list[tuple[str, tuple[str, tuple[Any, ...]]]] = [
    ("calendly_webhook_event_pending", UNAPPLIED),
    ("calendly_webhook_event_dead_letters", UNAPPLIED),
    ("calendly_webhook_event_public_id_key", (personal_data._BODIES, (None, 9, NOON, 9, 9))),
    ("calendly_booking_public_id_key", (personal_data._SEATS, (None, 9))),
]


@pytest.mark.parametrize(("index", "query"), [*QUERIES.items(), *ALSO])
async def test_used(never_used: Secret, index: str, query: tuple[str, tuple[Any, ...]]) -> None:
    """Each query that runs often or over many rows can be answered by its index."""
    statement, values = query
    bound = [
        uuid4() if value == "USER" else [uuid4()] if value == ["USER"] else value
        for value in values
    ]
    connection = await asyncpg.connect(never_used.reveal())
    # On tables this small PostgreSQL would rather read everything.
    await connection.execute("SET enable_seqscan = off; SET enable_bitmapscan = off")

    plan = await connection.fetch(f"EXPLAIN (COSTS OFF) {statement}", *bound)
    await connection.close()

    assert f"using {index} " in "\n".join(row[0] for row in plan)
