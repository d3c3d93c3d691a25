from collections.abc import AsyncIterator

import asyncpg
import pytest

from adapters.local_stack.postgres.server import EmbeddedPostgres
from adapters.persistence.errors import StoreRefused
from adapters.persistence.migrate import migrate, unmet
from adapters.persistence.preconditions import unmet_preconditions
from domain.secret import Secret

ROLE = "limited"


@pytest.fixture
async def latin(postgres: EmbeddedPostgres) -> AsyncIterator[Secret]:
    """A database that can hold only Western European names."""
    connection = await asyncpg.connect(postgres.dsn)
    await connection.execute(
        "CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0"
    )
    yield Secret(postgres.dsn_of("latin"))
    await connection.execute("DROP DATABASE latin WITH (FORCE)")
    await connection.close()


@pytest.fixture
async def limited(empty_database: Secret) -> AsyncIterator[Secret]:
    """The address of an empty database as a role that may only connect."""
    connection = await asyncpg.connect(empty_database.reveal())
    await connection.execute(f"CREATE ROLE {ROLE} LOGIN PASSWORD 'pw'")
    await connection.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    host = empty_database.reveal().rpartition("@")[2]
    yield Secret(f"postgresql://{ROLE}:pw@{host}")
    await connection.execute(f"DROP OWNED BY {ROLE}; DROP ROLE {ROLE}")
    await connection.close()


async def test_an_encoding_that_cannot_hold_names(latin: Secret) -> None:
    """`migrate` refuses the database with the remedy, and changes nothing."""
    with pytest.raises(StoreRefused, match=r"LATIN1.*createdb --encoding=UTF8"):
        await migrate(latin)

    connection = await asyncpg.connect(latin.reveal())
    assert await connection.fetchval("SELECT to_regclass('migration') IS NULL")
    await connection.close()


async def test_a_sound_database(database_url: Secret) -> None:
    """A migrated database lacks nothing."""
    assert await unmet(database_url) == []


async def test_missing_rights(limited: Secret, empty_database: Secret) -> None:
    """Each missing right is named with the statement that grants it."""
    with pytest.raises(StoreRefused, match=f"GRANT CREATE, USAGE ON SCHEMA public TO {ROLE}"):
        await migrate(limited)
    assert await unmet(limited) == []
    await migrate(empty_database)

    with pytest.raises(
        StoreRefused, match=r"does not own api_key, app_user, audit_entry, .*OWNER TO"
    ):
        await migrate(limited)
    (lacking,) = await unmet(limited)
    assert "may not read and write api_key, app_user, audit_entry, calendly_" in lacking.problem

    owner = await asyncpg.connect(empty_database.reveal())
    await owner.execute(lacking.remedy.partition(": ")[2])
    await owner.close()
    assert await unmet(limited) == []


async def test_no_schema(empty_database: Secret) -> None:
    """A search path without a schema would fail in the first migration."""
    url = Secret(f"{empty_database.reveal()}?search_path=nowhere")

    with pytest.raises(StoreRefused, match="no schema in its search_path"):
        await migrate(url)


class Pooled:
    """A connection through a pooler, which has a process id of its own."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection

    def __getattr__(self, name: str) -> object:
        """Return what the connection has."""
        return getattr(self._connection, name)

    def get_server_pid(self) -> int:
        """Return the pooler's id."""
        return -1


async def test_an_unnamed_pooler(database_url: Secret, sql: asyncpg.Connection) -> None:
    """A pooler that DATABASE_URL does not name is found, and the message says what to add."""
    (lacking,) = await unmet_preconditions(Pooled(sql), database_url, migrating=False)

    assert "Add pgbouncer=true to DATABASE_URL" in lacking.remedy
    named = Secret(f"{database_url.reveal()}?pgbouncer=true")
    assert await unmet_preconditions(Pooled(sql), named, migrating=False) == []
