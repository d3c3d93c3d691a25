import asyncio
import logging
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from adapters.local_stack.postgres.server import EmbeddedPostgres
from adapters.persistence.bulkheads import Bulkhead
from adapters.persistence.errors import translated
from adapters.persistence.migrate import migrate, pending
from adapters.persistence.session import Session
from adapters.persistence.storage import PiccoloStorage, open_storage
from domain.errors import StorageContended, StorageUnavailable
from domain.ids import UserId
from domain.secret import Secret
from tests.contracts.persistence.world import World
from tests.fakes.clock import NOON, FakeClock
from tests.fakes.randomness import FakeRandomness
from tests.fakes.vault import FakeVault


class MortalPostgres:
    """A server of the test's own, to stop and to start again at the same address."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._server = EmbeddedPostgres(home, durable=False)
        self.url = Secret(self._server.start())

    def stop(self) -> None:
        """Take the server away."""
        self._server.stop()

    def start(self) -> None:
        """Bring it back."""
        self._server = EmbeddedPostgres(self._home, port=self._server.port, durable=False)
        self._server.start()


@pytest.fixture
def mortal(traversable: Path) -> Iterator[MortalPostgres]:
    """A server that the test may stop."""
    server = MortalPostgres(traversable / "mortal")
    yield server
    server.stop()


async def test_gone_and_back(mortal: MortalPostgres) -> None:
    """While PostgreSQL is down every use reports it; afterwards the same store works again."""
    url = mortal.url
    await migrate(url)
    async with open_storage(url, FakeVault(), Bulkhead(size=2, wait=1)) as storage:
        async with storage() as uow:
            await asyncio.to_thread(mortal.stop)
            with pytest.raises(StorageUnavailable):
                await uow.api_keys.all()
            with pytest.raises(StorageUnavailable):
                await uow.commit()
        for _ in range(4):
            with pytest.raises(StorageUnavailable) as caught:
                await storage.ping()
            assert url.reveal().split(":")[2].split("@")[0] not in str(caught.value)
            with pytest.raises(StorageUnavailable):
                async with storage():
                    pass
        with pytest.raises(StorageUnavailable):
            await pending(url)

        await asyncio.to_thread(mortal.start)

        async with storage() as uow:
            assert await uow.api_keys.all() == []
            await uow.commit()
        await storage.ping()


async def test_killed_while_idle(mortal: MortalPostgres) -> None:
    """Connections that the server dropped while idle are replaced without an error."""
    url = mortal.url
    await migrate(url)
    async with open_storage(url, FakeVault(), Bulkhead(size=1, wait=1)) as storage:
        await storage.ping()
        killer = await asyncpg.connect(url.reveal())
        await killer.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'slotkeeper'"
        )
        await killer.close()
        await asyncio.sleep(0.05)

        await storage.ping()


async def test_killed_inside(database_url: Secret, sql: asyncpg.Connection) -> None:
    """A connection that dies inside a unit of work costs that one alone."""
    async with open_storage(database_url, FakeVault(), Bulkhead(size=1, wait=1)) as storage:
        async with storage() as uow:
            await sql.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE application_name = 'slotkeeper' AND pid <> pg_backend_pid()"
                " AND datname = current_database()"
            )
            with pytest.raises(StorageUnavailable):
                await uow.users.ensure("ada", UserId(FakeRandomness().new_id()), NOON)

        async with storage() as uow:
            assert await uow.api_keys.all() == []


async def test_never_reachable() -> None:
    """A store that cannot be reached at all reports it, and can be opened without a connection."""
    url = Secret("postgresql://me:hunter2@127.0.0.1:1/nowhere")

    with pytest.raises(StorageUnavailable) as caught:
        async with open_storage(url, FakeVault()):
            pass
    assert "hunter2" not in str(caught.value)
    async with open_storage(url, FakeVault(), min_size=0) as storage:
        with pytest.raises(StorageUnavailable):
            await storage.ping()
    with pytest.raises(StorageUnavailable):
        await migrate(url)


async def test_all_connections_taken(database_url: Secret) -> None:
    """A caller that gets no free connection in time gets an error, and the next one gets it."""
    async with open_storage(database_url, FakeVault(), Bulkhead(size=1, wait=0.05)) as storage:
        inside, leave = asyncio.Event(), asyncio.Event()

        async def occupy() -> None:
            async with storage():
                inside.set()
                await leave.wait()

        holder = asyncio.create_task(occupy())
        await inside.wait()
        with pytest.raises(StorageUnavailable):
            async with storage():
                pass
        leave.set()
        await holder

        await storage.ping()


async def test_deadlock(
    piccolo_storage: PiccoloStorage, randomness: FakeRandomness, clock: FakeClock
) -> None:
    """Of two units of work that wait for each other one gets an error to retry on."""
    world = World(piccolo_storage, randomness, clock)
    users = [(await world.connect(name)).user_id for name in ("ada", "grace")]
    both_hold = asyncio.Barrier(2)

    async def lock(first: UserId, second: UserId) -> None:
        async with piccolo_storage() as uow:
            await uow.integrations.for_user(first, lock=True)
            await both_hold.wait()
            await uow.integrations.for_user(second, lock=True)

    ended = await asyncio.gather(lock(*users), lock(*users[::-1]), return_exceptions=True)

    (error,) = [each for each in ended if each is not None]
    assert isinstance(error, StorageContended)
    assert "DeadlockDetectedError" in str(error)
    assert "DeadlockDetectedError" not in error.message


async def test_contention_is_not_an_outage(
    piccolo_storage: PiccoloStorage, sql: asyncpg.Connection
) -> None:
    """A statement that the server canceled for another one is distinguished from an outage."""
    waits = "SET LOCAL statement_timeout = 10; SELECT pg_advisory_xact_lock(1)"
    async with sql.transaction():
        await sql.execute("SELECT pg_advisory_xact_lock(1)")
        async with piccolo_storage():
            with pytest.raises(StorageContended):
                await Session().run(waits)


async def test_a_reference_to_what_was_erased_is_contended() -> None:
    """A reference to a row that was just deleted is an error to retry on; the retry finds it gone."""
    with pytest.raises(StorageContended, match="ForeignKeyViolationError"), translated():
        raise asyncpg.ForeignKeyViolationError


@pytest.mark.parametrize(
    "altered",
    [
        asyncpg.InvalidCachedStatementError,
        asyncpg.OutdatedSchemaCacheError,
        asyncpg.DeadlockDetectedError,
        asyncpg.LockNotAvailableError,
        asyncpg.UndefinedColumnError,
        asyncpg.UndefinedFunctionError,
        asyncpg.UndefinedTableError,
    ],
)
async def test_a_statement_that_meets_a_migration_is_worth_a_retry(
    altered: type[asyncpg.PostgresError],
) -> None:
    """A statement that a migration refuses for a moment is unavailable, not broken."""
    with pytest.raises(StorageUnavailable), translated():
        raise altered("refused")


async def test_a_missing_migration_names_the_remedy(
    piccolo_storage: PiccoloStorage, sql: asyncpg.Connection
) -> None:
    """A column that the schema lacks is reported with the command that adds it."""
    await sql.execute("ALTER TABLE api_key RENAME COLUMN revoked_at TO renamed")
    try:
        async with piccolo_storage() as uow:
            with pytest.raises(StorageUnavailable, match="slotkeeper migrate"):
                await uow.api_keys.all()
    finally:
        await sql.execute("ALTER TABLE api_key RENAME COLUMN renamed TO revoked_at")


async def test_a_silent_server_is_an_outage() -> None:
    """Our own time-out is not evidence that the server is healthy."""
    with pytest.raises(StorageUnavailable) as caught, translated():
        raise TimeoutError

    assert type(caught.value) is StorageUnavailable


async def test_says_nothing(
    piccolo_storage: PiccoloStorage, caplog: pytest.LogCaptureFixture
) -> None:
    """The store logs nothing by itself: what it would log are rows."""
    with (
        caplog.at_level(logging.DEBUG, logger="asyncpg"),
        caplog.at_level(logging.DEBUG, logger="piccolo"),
    ):
        async with piccolo_storage() as uow:
            await uow.users.ensure("ada", UserId(FakeRandomness().new_id()), NOON)

    assert caplog.records == []
