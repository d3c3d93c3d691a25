"""The pool of connections, and the units of work that run on it.

Nothing connects before `open_storage` is entered, and everything is closed when it is left.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from copy import copy
from datetime import datetime, timedelta
from typing import Self

from adapters.persistence.address import is_pooled
from adapters.persistence.borrowed_connection import lender
from adapters.persistence.bulkheads import COMMANDS, Bulkhead
from adapters.persistence.connection_pool import ConnectionPool
from adapters.persistence.engine import ENGINE
from adapters.persistence.lookups.cache_lookup import PooledCacheLookup
from adapters.persistence.lookups.caller_lookup import PooledCallerLookup
from adapters.persistence.lookups.refresh_log import GroupedRefreshLog
from adapters.persistence.lookups.version_lookup import GroupedVersionLookup
from adapters.persistence.migrate import pending_on
from adapters.persistence.repositories.erasure_keys import HashKeys
from adapters.persistence.session import Session
from adapters.persistence.transaction import OwnedTransaction, begin
from adapters.persistence.unit_of_work import PiccoloUnitOfWork
from application.ports.vault import Vault
from domain.secret import Secret

# A row of a surface that does not exist, never committed; processes do not wait for each other.
_WRITE = """
INSERT INTO calendly_circuit_breaker (surface, state, failures, trips, failed_at)
VALUES ('probe ' || pg_backend_pid(), 'closed', 0, 0, '{}')
"""


class PiccoloStorage:
    """Units of work and lookups over one pool.

    Args:
        pool: lends the connections.
        vault: seals what a row keeps sealed.
        limits: set in every transaction (milliseconds); none if the pool's sessions have them.

    """

    def __init__(
        self, pool: ConnectionPool, vault: Vault, limits: Mapping[str, int] | None = None
    ) -> None:
        self._pool = pool
        self._vault = vault
        self._limits = dict(limits or {})
        self._begin = begin(self._limits)
        self._exchanges = GroupedRefreshLog(self)
        self._lend = lender(pool)
        self._versions = GroupedVersionLookup(self._lend)
        self._cache_lookup = PooledCacheLookup(self._lend)
        self._callers = PooledCallerLookup(self._lend)
        self._hash_keys = HashKeys()

    def waiting(self, lock_wait: timedelta) -> Self:
        """Return the same store, whose units of work wait so long for each lock at most.

        Beyond it they raise StorageContended. It costs no round trip.
        """
        limited = copy(self)
        # Zero would mean to wait for ever.
        milliseconds = max(1, lock_wait // timedelta(milliseconds=1))
        limited._begin = begin(  # noqa: SLF001 - of the same class
            {**self._limits, "lock_timeout": milliseconds}
        )
        return limited

    @asynccontextmanager
    async def __call__(self) -> AsyncIterator[PiccoloUnitOfWork]:
        """Begin a transaction; see the Storage port.

        Raises:
            StorageUnavailable, StorageContended: no connection in time, or what the port says.
            TransactionError: a unit of work is open in this task already.

        """
        async with OwnedTransaction(ENGINE, self._pool, self._begin) as transaction:
            yield PiccoloUnitOfWork(transaction, self._vault, self._hash_keys)

    def refresh_log(self) -> GroupedRefreshLog:
        return self._exchanges

    def cache_lookup(self) -> PooledCacheLookup:
        return self._cache_lookup

    def callers(self) -> PooledCallerLookup:
        return self._callers

    def versions(self) -> GroupedVersionLookup:
        return self._versions

    async def ping(self) -> None:
        """Write a row in a transaction that is rolled back.

        Raises:
            StorageUnavailable: there was no answer, or the session is read-only.
            StoreRefused: the table is missing or may not be written.

        """
        async with self():
            await Session().run(_WRITE)

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
    bulkhead: Bulkhead = COMMANDS,
    *,
    min_size: int = 1,
    session: Mapping[str, str] | None = None,
) -> AsyncIterator[PiccoloStorage]:
    """Connect, and disconnect at the end.

    Args:
        database_url: PostgreSQL's address; see `adapters.persistence.address`.
        vault: seals webhook bodies and the links of bookings.
        bulkhead: the limits of the pool.
        min_size: connections that are opened now and kept; with 0 none is opened, so that the
            service starts while PostgreSQL is down.
        session: settings of each session beside the service's own, for tests.

    Raises:
        StorageUnavailable: PostgreSQL cannot be reached.
        ValueError: the URL is not one of PostgreSQL.

    """
    pool = await ConnectionPool.open(database_url, bulkhead, min_size=min_size, session=session)
    # A pooler drops the settings of a session, so each transaction sets them.
    limits = bulkhead.server_settings if is_pooled(database_url) else None
    try:
        yield PiccoloStorage(pool, vault, limits)
    finally:
        await pool.close()
