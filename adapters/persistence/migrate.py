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
from adapters.persistence.errors import StoreRefused, translated
from adapters.persistence.hosts import connect_to_first
from adapters.persistence.preconditions import POOLER_REMEDY, Unmet, unmet_preconditions
from adapters.persistence.transaction import OwnedTransaction
from domain.errors import StorageUnavailable
from domain.secret import Secret

APP_NAME = "slotkeeper"
# Integrations are locked by their positive ids; this one can never be an integration's.
CONNECT_SECONDS = 10.0
MIGRATION_LOCK = -0x534C4F54


async def migrate(database_url: Secret) -> list[str]:
    """Run every pending migration.

    Returns:
        The ids of those that ran, in order; none when the schema was up to date.

    Raises:
        StorageUnavailable: PostgreSQL cannot be reached, or the transaction met another one.
        StoreRefused: a migration does not fit the database, or the database lacks what the
            service needs; nothing was changed.

    """
    async with _connection(database_url) as connection:
        if lacking := await unmet_preconditions(connection, database_url, migrating=True):
            raise StoreRefused(" ".join(map(str, lacking)))
        return await _migrate(connection)


async def _migrate(connection: Any) -> list[str]:
    async with OwnedTransaction(_engine(), _Opened(connection)) as transaction:
        with translated():
            await connection.execute("SELECT pg_advisory_xact_lock($1)", MIGRATION_LOCK)
            if not await Migration.table_exists():
                await Migration.create_table()
            ran = [await _run(module) for module in await _missing(connection)]
        await transaction.commit()
    return ran


async def unmet(database_url: Secret) -> list[Unmet]:
    """Return what the database lacks for a process that serves; changes nothing.

    Raises:
        StorageUnavailable: PostgreSQL cannot be reached.
        StoreRefused: a pooler refuses the connection; the message has the remedy.

    """
    async with _connection(database_url) as connection:
        return await unmet_preconditions(connection, database_url, migrating=False)


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


class _Opened:
    """Lends the connection of an opener, which closes it."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    async def acquire(self) -> Any:
        return self._connection

    async def release(self, connection: Any) -> None:
        """Leave the connection to its opener."""

    async def terminate(self, connection: Any) -> None:
        """Leave the connection to its opener."""

    async def discard(self, connection: Any) -> None:
        """Leave the connection to its opener."""


def _engine() -> PostgresEngine:
    engine = engine_finder()
    if not isinstance(engine, PostgresEngine):
        raise TypeError("piccolo_conf.DB is not an engine of PostgreSQL.")
    return engine


@asynccontextmanager
async def _connection(database_url: Secret) -> AsyncIterator[Any]:
    try:
        with translated():
            connection = await connect_to_first(
                **connect_arguments(database_url), seconds=CONNECT_SECONDS
            )
    except StorageUnavailable as error:
        # 08P01: the pooler knows none of the settings that the service sends.
        if isinstance(error.__context__, asyncpg.ProtocolViolationError):
            raise StoreRefused(f"A pooler refuses the connection. {POOLER_REMEDY}") from None
        raise
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
