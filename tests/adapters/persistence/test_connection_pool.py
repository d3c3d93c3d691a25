import asyncio
import socket
import time
from datetime import timedelta

import asyncpg
import pytest

from adapters.persistence.bulkheads import PROBES, Bulkhead
from adapters.persistence.errors import ends_session, translated
from adapters.persistence.session import Session
from adapters.persistence.storage import PiccoloStorage, open_storage
from domain.errors import SlotkeeperError, StorageContended, StorageUnavailable
from domain.secret import Secret
from tests.fakes.vault import FakeVault
from tests.faults.network import open_network

QUICK = Bulkhead(size=3, wait=1.0, silence=0.4)
ACROSS = 2.0  # seconds; several times the limit of QUICK


async def _work(storage: PiccoloStorage) -> None:
    async with storage():
        await Session().run("SELECT 1")


async def test_a_silent_network_costs_one_time_limit(database_url: Secret) -> None:
    """The first statement that gets no answer makes the pool leave every old connection."""
    async with (
        open_network(database_url.reveal()) as (network, url),
        open_storage(Secret(url), FakeVault(), QUICK, min_size=0) as storage,
    ):
        await asyncio.gather(*(_work(storage) for _ in range(3)))
        before = network.opened
        network.silence()
        began = time.monotonic()

        with pytest.raises(StorageUnavailable):
            await _work(storage)
        for _ in range(3):
            await _work(storage)

        assert time.monotonic() - began < ACROSS
        assert network.opened > before


async def test_a_canceled_task_does_not_wait_for_a_silent_network(database_url: Secret) -> None:
    """Its connection is terminated; a cancel request would wait for the answer."""
    patient = Bulkhead(size=1, silence=30.0)
    async with (
        open_network(database_url.reveal()) as (network, url),
        open_storage(Secret(url), FakeVault(), patient, min_size=0) as storage,
    ):
        await _work(storage)
        network.silence()
        began = time.monotonic()

        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await _work(storage)
        await _work(storage)

        assert time.monotonic() - began < ACROSS


async def test_a_read_only_session_is_not_lent_again(
    database_url: Secret, sql: asyncpg.Connection
) -> None:
    """After a failover the sessions of the old primary refuse writes, and new ones accept them."""
    async with open_storage(database_url, FakeVault(), PROBES, min_size=0) as storage:
        await storage.ping()
        database = await sql.fetchval("SELECT quote_ident(current_database())")
        await sql.execute(f"ALTER DATABASE {database} SET default_transaction_read_only = on")
        try:
            await sql.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE application_name = 'slotkeeper' AND datname = current_database()"
                " AND pid <> pg_backend_pid()"
            )
            for _ in range(2):
                # The first may meet the terminated connection, whose end asyncpg reports under
                # several names; the second has a new session.
                with pytest.raises(StorageUnavailable) as refused:
                    await storage.ping()
            assert "ReadOnly" in str(refused.value)
        finally:
            await sql.execute(f"ALTER DATABASE {database} RESET default_transaction_read_only")
        with pytest.raises(StorageUnavailable, match="ReadOnly"):
            await _one_read_only(storage)

        await storage.ping()


async def _one_read_only(storage: PiccoloStorage) -> None:
    async with storage():
        await Session().run("SET TRANSACTION READ ONLY")
        await Session().run("CREATE TABLE never (id int)")


async def test_the_server_ends_what_waits_too_long(
    database_url: Secret, sql: asyncpg.Connection
) -> None:
    """A lock that is held ends the wait and not the session."""
    bulkhead = Bulkhead(
        size=1, lock=timedelta(milliseconds=50), statement=timedelta(milliseconds=500)
    )
    async with open_storage(database_url, FakeVault(), bulkhead, min_size=0) as storage:
        async with storage():
            pid = (await Session().rows("SELECT pg_backend_pid()"))[0][0]
        async with sql.transaction():
            await sql.execute("LOCK TABLE api_key IN ACCESS EXCLUSIVE MODE")
            with pytest.raises(StorageContended):
                await storage.callers().find(b"", None)
        async with storage():
            assert (await Session().rows("SELECT pg_backend_pid()"))[0][0] == pid


async def test_behind_a_pooler_each_transaction_sets_the_limits(database_url: Secret) -> None:
    """A pooler drops the settings of a session."""
    url = Secret(f"{database_url.reveal()}?pgbouncer=true")
    async with open_storage(url, FakeVault(), PROBES) as storage, storage():
        rows = await Session().rows("SELECT current_setting('statement_timeout')")

    assert rows[0][0] == "2s"


async def test_the_kernel_notices_a_peer_that_is_gone(database_url: Secret) -> None:
    """Keepalive and the limit for unacknowledged data are set on each connection."""
    async with open_storage(database_url, FakeVault(), PROBES) as storage, storage() as uow:
        transport = uow._transaction.connection._transport
        opened = transport.get_extra_info("socket")

        assert opened.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        assert opened.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 5_000


@pytest.mark.parametrize(
    ("error", "ends"),
    [
        (asyncpg.ReadOnlySQLTransactionError(), True),
        (asyncpg.AdminShutdownError(), True),
        (asyncpg.CrashShutdownError(), True),
        (asyncpg.CannotConnectNowError(), True),
        (asyncpg.ConnectionDoesNotExistError(), True),
        (asyncpg.IdleInTransactionSessionTimeoutError(), True),
        (TimeoutError(), True),
        (asyncpg.QueryCanceledError(), False),
        (asyncpg.LockNotAvailableError(), False),
        (asyncpg.DiskFullError(), False),
        (asyncpg.InvalidCachedStatementError(), False),
        (asyncpg.UniqueViolationError(), False),
    ],
)
def test_what_ends_a_session(error: Exception, ends: bool) -> None:
    """The rule is the same before and after the translation."""
    with pytest.raises(SlotkeeperError) as caught:
        _raise_translated(error)

    assert (ends_session(error), ends_session(caught.value)) == (ends, ends)


def _raise_translated(error: Exception) -> None:
    with translated():
        raise error
