from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from adapters.persistence.repositories import (
    availability_cache,
    bookings,
    integrations,
    refresh_queue,
    sync_queue,
    webhook_events,
)
from domain.integration import Integration
from tests.fakes.clock import NOON

LATER = NOON + timedelta(hours=1)
QUERIES: dict[str, tuple[str, tuple[Any, ...]]] = {
    "calendly_integration_refresh_due": (
        refresh_queue._CLAIM_DUE,
        ("me", NOON, LATER, LATER, 100),
    ),
    "calendly_integration_sync_due": (sync_queue._CLAIM_DUE, ("me", NOON, LATER, 100)),
    "calendly_integration_live": (integrations._LIVE_AFTER, (None, 100)),
    "calendly_integration_account": (integrations._BY_ACCOUNTS, (["uri"],)),
    "calendly_webhook_event_pending": (webhook_events._CLAIM_PENDING, (NOON, LATER, 100)),
    "calendly_booking_page": (bookings._PAGE, ("USER", [], None, None, None, None, 50)),
    "calendly_booking_one_row_an_invitee": (bookings._BY_INVITEE, ("USER", "uri")),
    "calendly_booking_occupied": (bookings._OCCUPIED, ("USER", NOON, LATER)),
    "calendly_availability_cache_one_row_a_part": (
        availability_cache._READ,
        ("USER", "slots", "key"),
    ),
}


@pytest.mark.parametrize("index", QUERIES)
async def test_used(sql: asyncpg.Connection, ada: Integration, index: str) -> None:
    """Each query that runs often or over many rows can be answered by its index."""
    statement, values = QUERIES[index]
    bound = [ada.user_id if value == "USER" else value for value in values]
    # On tables this small PostgreSQL would rather read everything.
    await sql.execute("SET enable_seqscan = off; SET enable_bitmapscan = off")

    plan = await sql.fetch(f"EXPLAIN (COSTS OFF) {statement}", *bound)

    assert f"using {index} " in "\n".join(row[0] for row in plan)
