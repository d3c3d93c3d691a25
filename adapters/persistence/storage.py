"""The pool of connections, and the units of work that run on it.

Nothing connects before `open_storage` is entered, and everything is closed when it is left.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from copy import copy
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Self

import asyncpg

from adapters.persistence.address import connect_arguments
from adapters.persistence.borrowed_connection import lender
from adapters.persistence.engine import ENGINE
from adapters.persistence.errors import translated
from adapters.persistence.lookups.cache_lookup import PooledCacheLookup
from adapters.persistence.lookups.caller_lookup import PooledCallerLookup
from adapters.persistence.lookups.refresh_log import GroupedRefreshLog
from adapters.persistence.lookups.version_lookup import GroupedVersionLookup
from adapters.persistence.migrate import pending_on
from adapters.persistence.repositories.erasures import HashKey
from adapters.persistence.transaction import OwnedTransaction
from adapters.persistence.unit_of_work import PiccoloUnitOfWork
from application.ports.vault import Vault
from domain.secret import Secret

STATEMENT_SECONDS = 30.0
CLOSE_SECONDS = 5.0


class PiccoloStorage:
    def __init__(self, pool: Any, vault: Vault, timeout_seconds: float) -> None:
        self._pool = pool
        self._vault = vault
        self._acquire = partial(pool.acquire, timeout=timeout_seconds)
        self._exchanges = GroupedRefreshLog(self)
        self._lend = lender(self._acquire, pool.release)
        self._versions = GroupedVersionLookup(self._lend)
        self._cache_lookup = PooledCacheLookup(self._lend)
        self._callers = PooledCallerLookup(self._lend)
        self._hash_key = HashKey()
        self._lock_wait: timedelta | None = None

    def waiting(self, lock_wait: timedelta) -> Self:
        """Return the same store, whose units of work wait so long for each lock at most.

        Beyond it they raise StorageContended. It costs no round trip.
        """
        limited = copy(self)
        limited._lock_wait = lock_wait  # noqa: SLF001 - of the same class
        return limited

    @asynccontextmanager
    async def __call__(self) -> AsyncIterator[PiccoloUnitOfWork]:
        """Begin a transaction; see the Storage port.

        Raises:
            StorageUnavailable, StorageContended: no connection in time, or what the port says.
            TransactionError: a unit of work is open in this task already.

        """
        async with OwnedTransaction(
            ENGINE, self._acquire, self._pool.release, self._lock_wait
        ) as transaction:
            yield PiccoloUnitOfWork(transaction, self._vault, self._hash_key)

    def refresh_log(self) -> GroupedRefreshLog:
        return self._exchanges

    def cache_lookup(self) -> PooledCacheLookup:
        return self._cache_lookup

    def callers(self) -> PooledCallerLookup:
        return self._callers

    def versions(self) -> GroupedVersionLookup:
        return self._versions

    async def ping(self) -> None:
        """Ask the server for an answer.

        Raises:
            StorageUnavailable: there was none.

        """
        async with self._lend() as connection:
            await connection.execute("SELECT 1")

    async def database_time(self) -> datetime:
        """Return PostgreSQL's time (UTC).

        Raises:
            StorageUnavailable: PostgreSQL cannot be reached.

        """
        async with self._lend() as connection:
            moment: datetime = await connection.fetchval("SELECT clock_timestamp()")
        return moment

    async def pending_migrations(self) -> list[str]:
        """Return the ids of the migrations that the database lacks.

        Raises:
            StorageUnavailable: PostgreSQL cannot be reached.

        """
        async with self._lend() as connection:
            return await pending_on(connection)


@asynccontextmanager
async def open_storage(
    database_url: Secret,
    vault: Vault,
    *,
    min_size: int = 1,
    max_size: int = 10,
    timeout_seconds: float = 5.0,
    session: Mapping[str, str] | None = None,
) -> AsyncIterator[PiccoloStorage]:
    """Connect, and disconnect at the end.

    Args:
        database_url: PostgreSQL's address; see `adapters.persistence.address`.
        vault: seals webhook bodies and the links of bookings.
        min_size: connections that are opened now and kept; with 0 none is opened, so that the
            service starts while PostgreSQL is down.
        max_size: connections at most.
        timeout_seconds: how long a unit of work waits for one of them (seconds).
        session: settings of each session beside the service's own, for tests.

    Raises:
        StorageUnavailable: PostgreSQL cannot be reached.
        ValueError: the URL is not one of PostgreSQL.

    """
    arguments = connect_arguments(database_url)
    if session:
        arguments["server_settings"] = arguments.get("server_settings", {}) | dict(session)
    with translated():
        pool = await asyncpg.create_pool(
            **arguments,
            min_size=min_size,
            max_size=max_size,
            command_timeout=STATEMENT_SECONDS,
            reset=_reset,
        )
    try:
        yield PiccoloStorage(pool, vault, timeout_seconds)
    finally:
        await _close(pool)


async def _reset(connection: Any) -> None:
    """Make a connection fit for the next unit of work.

    A unit of work leaves nothing behind in its session. So asyncpg's own reset, one more round
    trip, is kept for a transaction that did not end.
    """
    if connection.is_in_transaction():
        await connection.reset()


async def _close(pool: Any) -> None:
    try:
        async with asyncio.timeout(CLOSE_SECONDS):
            await pool.close()
    except TimeoutError:
        pool.terminate()
