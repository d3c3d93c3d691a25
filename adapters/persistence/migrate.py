"""Bring a database's schema up to date.

All pending migrations run in one transaction under an advisory lock. Of several processes that
start together one migrates; the others wait and then have nothing to do. A failed migration leaves
no change. A statement that cannot run in a transaction (CREATE INDEX CONCURRENTLY) is not allowed.
"""

import contextlib
import io
import pkgutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module
from typing import Any

import asyncpg
from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.apps.migrations.tables import Migration
from piccolo.engine.finder import engine_finder
from piccolo.engine.postgres import PostgresEngine

from adapters.persistence import piccolo_migrations
from adapters.persistence.address import connect_arguments
from adapters.persistence.errors import translated
from adapters.persistence.transaction import OwnedTransaction
from domain.secret import Secret

APP_NAME = "slotkeeper"
# Integrations are locked by their positive ids; this one can never be an integration's.
MIGRATION_LOCK = -0x534C4F54


async def migrate(database_url: Secret) -> list[str]:
    """Run every pending migration.

    Returns:
        The ids of those that ran, in order; none when the schema was up to date.

    Raises:
        StorageUnavailable: PostgreSQL cannot be reached, or the transaction met another one.
        StoreRefused: a migration does not fit the database; nothing was changed.

    """
    engine = _engine()
    async with _connection(database_url) as connection:

        async def lend() -> Any:
            return connection

        async def keep(_connection: Any) -> None:
            """Leave the connection to its opener."""

        async with OwnedTransaction(engine, lend, keep) as transaction:
            with translated():
                await connection.execute("SELECT pg_advisory_xact_lock($1)", MIGRATION_LOCK)
                if not await Migration.table_exists():
                    await Migration.create_table()
                ran = [await _run(module) for module in await _missing(connection)]
            await transaction.commit()
    return ran


async def pending(database_url: Secret) -> list[str]:
    """Return the ids of the migrations that the database lacks; changes nothing.

    Raises:
        StorageUnavailable: PostgreSQL cannot be reached.

    """
    async with _connection(database_url) as connection:
        return await pending_on(connection)


async def pending_on(connection: Any) -> list[str]:
    """Return the same over a connection that is open already."""
    with translated():
        return [module.ID for module in await _missing(connection)]


def _engine() -> PostgresEngine:
    engine = engine_finder()
    if not isinstance(engine, PostgresEngine):
        raise TypeError("piccolo_conf.DB is not an engine of PostgreSQL.")
    return engine


@asynccontextmanager
async def _connection(database_url: Secret) -> AsyncIterator[Any]:
    with translated():
        connection = await asyncpg.connect(**connect_arguments(database_url))
    try:
        yield connection
    finally:
        connection.terminate()


async def _missing(connection: Any) -> list[Any]:
    done: set[str] = set()
    if await connection.fetchval("SELECT to_regclass('migration') IS NOT NULL"):
        rows = await connection.fetch("SELECT name FROM migration WHERE app_name = $1", APP_NAME)
        done = {row["name"] for row in rows}
    modules = [
        import_module(f"{piccolo_migrations.__name__}.{found.name}")
        for found in pkgutil.iter_modules(piccolo_migrations.__path__)
    ]
    return sorted((each for each in modules if each.ID not in done), key=lambda each: each.ID)


async def _run(module: Any) -> str:
    manager: MigrationManager = await module.forwards()
    # Piccolo prints its progress; our standard output belongs to the log.
    with contextlib.redirect_stdout(io.StringIO()):
        await manager.run()
    await Migration.insert(Migration(name=module.ID, app_name=APP_NAME))
    return str(module.ID)
