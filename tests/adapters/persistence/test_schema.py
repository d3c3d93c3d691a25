import pkgutil
from importlib import import_module

import asyncpg
import pytest

from adapters.persistence import piccolo_migrations
from adapters.persistence.errors import StoreRefused
from adapters.persistence.storage import PiccoloStorage
from application.ports.storage.breakers import Surface
from application.ports.storage.webhook_events import NewEvent, WebhookEvent
from domain.booking import Links
from domain.circuit_breaker import Breaker, BreakerState
from domain.ids import WebhookEventId
from domain.integration import Integration, Status, Subscription
from domain.secret import Secret
from tests import samples
from tests.contracts.persistence.world import World
from tests.fakes.clock import NOON

TABLES = "table_schema = 'public' AND table_name <> 'migration'"


async def test_times_have_zones(sql: asyncpg.Connection) -> None:
    """Every stored time has a time zone."""
    naive = await sql.fetch(
        "SELECT table_name, column_name FROM information_schema.columns"
        f" WHERE {TABLES} AND data_type LIKE 'timestamp without%'"
    )

    assert naive == []


async def test_keys_are_identities(sql: asyncpg.Connection) -> None:
    """Every table has a BIGINT identity."""
    ids = await sql.fetch(
        "SELECT table_name FROM information_schema.columns"
        f" WHERE {TABLES} AND column_name = 'id' AND data_type = 'bigint' AND is_identity = 'YES'"
    )
    tables = await sql.fetch(f"SELECT table_name FROM information_schema.tables WHERE {TABLES}")

    assert {row[0] for row in ids} == {row[0] for row in tables}


async def test_required_columns_added_later_have_defaults(sql: asyncpg.Connection) -> None:
    """The previous version inserts rows without the columns that a migration adds to a table.

    A column that its table was created with has no default: a forgotten value fails.
    """
    columns = await sql.fetch(
        "SELECT table_name, column_name, is_nullable, column_default IS NOT NULL"
        f" FROM information_schema.columns WHERE {TABLES}"
    )
    names = {(table, column) for table, column, _, _ in columns}
    required = {(table, column) for table, column, nullable, _ in columns if nullable == "NO"}
    filled = {(table, column) for table, column, _, default in columns if default}
    added = await added_columns() & names

    assert len(added) >= 20
    assert filled == required & added


async def added_columns() -> set[tuple[str, str]]:
    """Return the columns that a migration adds to a table which exists already."""
    managers = [
        await import_module(f"{piccolo_migrations.__name__}.{found.name}").forwards()
        for found in pkgutil.iter_modules(piccolo_migrations.__path__)
    ]
    return {
        (each.tablename, each.column._meta.db_column_name)
        for manager in managers
        for each in manager.add_columns.add_columns
        if each.tablename not in {table.tablename for table in manager.add_tables}
    }


async def test_users_go_with_their_data(
    sql: asyncpg.Connection, piccolo_storage: PiccoloStorage, world: World, ada: Integration
) -> None:
    """Deleting a user deletes everything of theirs but the webhook events, which are unlinked."""
    await world.book(ada, samples.facts("A"))
    event = WebhookEvent(
        id=WebhookEventId(world.randomness.new_id()),
        dedupe_key="one",
        kind="invitee.created",
        body=b"{}",
        received_at=NOON,
        occurred_at=NOON,
        integration_id=ada.id,
        user_id=ada.user_id,
    )
    async with piccolo_storage() as uow:
        await uow.webhook_events.store([NewEvent(event)])
        await uow.commit()

    await sql.execute("DELETE FROM app_user")

    assert await sql.fetchval("SELECT count(*) FROM calendly_integration") == 0
    assert await sql.fetchval("SELECT count(*) FROM calendly_booking") == 0
    links = "SELECT user_id, integration_id FROM calendly_webhook_event"
    assert tuple(await sql.fetchrow(links)) == (None, None)


async def test_secrets_are_sealed(
    sql: asyncpg.Connection, piccolo_storage: PiccoloStorage, world: World, ada: Integration
) -> None:
    """Webhook bodies and the links of bookings are nowhere readable in the database."""
    links = Links(cancel=Secret("cancel-link-s3cret"), reschedule=Secret("move-link-s3cret"))
    await world.book(ada, samples.facts("A", links=links))
    event = WebhookEvent(
        id=WebhookEventId(world.randomness.new_id()),
        dedupe_key="one",
        kind="invitee.created",
        body=b"body-s3cret",
        received_at=NOON,
        occurred_at=NOON,
    )
    async with piccolo_storage() as uow:
        await uow.webhook_events.store([NewEvent(event)])
        await uow.commit()

    for table in ("calendly_booking", "calendly_webhook_event"):
        stored = str(await sql.fetch(f"SELECT t::text FROM {table} t"))
        assert len(stored) > 100
        assert "s3cret" not in stored


BROKEN = {
    "calendly_integration_status_known": "status = 'lost'",
    "calendly_integration_tokens_whole": "refresh_token_sealed = NULL",
    "calendly_integration_active_has_tokens": "access_token_sealed = NULL,"
    " refresh_token_sealed = NULL, token_expires_at = NULL, token_version = NULL",
    "calendly_integration_token_version_positive": "token_version = -1",
    "calendly_integration_attention_whole": "attention_cause = 'grant_refused'",
    "calendly_integration_breaker_sound": "breaker_state = 'open'",
    "calendly_integration_refresh_lease_whole": "refresh_lease_owner = 'me'",
    "calendly_integration_sync_lease_whole": "sync_lease_until = now()",
    "calendly_integration_subscription_named": "subscription_uri = 'x'",
    "calendly_integration_invalidation_whole": "availability_invalidated_at = now()",
    "calendly_integration_event_types_invalidation_whole": "event_types_invalidated_by = 'x'",
    "calendly_integration_availability_version_counted": "availability_version = -1",
}


@pytest.mark.parametrize(("constraint", "change"), BROKEN.items())
async def test_rules_hold(
    sql: asyncpg.Connection, ada: Integration, constraint: str, change: str
) -> None:
    """A row that breaks a rule of an integration is refused by the database itself."""
    with pytest.raises(asyncpg.CheckViolationError) as caught:
        await sql.execute(f"UPDATE calendly_integration SET {change} WHERE public_id = $1", ada.id)

    assert caught.value.constraint_name == constraint


async def test_refusal_quotes_nothing(piccolo_storage: PiccoloStorage, ada: Integration) -> None:
    """A refused statement names the rule and quotes nothing of the row."""
    broken = samples.integration(ada.id, ada.user_id, status=Status.ACTIVE, tokens=None)
    async with piccolo_storage() as uow:
        with pytest.raises(StoreRefused) as caught:
            await uow.integrations.put_connected(broken)

    assert "calendly_integration_active_has_tokens" in str(caught.value)
    assert "calendly_integration" not in caught.value.message
    assert "ada@example.com" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


async def test_subscription_keys_are_unique(
    piccolo_storage: PiccoloStorage, world: World, ada: Integration
) -> None:
    """Two integrations never share a callback address."""
    grace = await world.connect("grace", subscription=Subscription(key="taken"))
    assert grace.subscription is not None

    async with piccolo_storage() as uow:
        with pytest.raises(StoreRefused, match="subscription_key"):
            await uow.integrations.put_subscription(ada.id, grace.subscription)


async def test_open_breaker_is_dated(piccolo_storage: PiccoloStorage) -> None:
    """An open breaker without the time at which it opened is refused."""
    async with piccolo_storage() as uow:
        with pytest.raises(StoreRefused, match="calendly_circuit_breaker_sound"):
            await uow.breakers.put(Surface.API, Breaker(state=BreakerState.OPEN))
