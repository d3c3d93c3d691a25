"""Fixtures that every test may use; servers start only for a test that asks for one."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import asyncpg
import hypothesis
import pytest

from adapters.local_stack.postgres.server import EmbeddedPostgres
from adapters.local_stack.temporal_server import TemporalDevServer
from adapters.persistence.database_clock import CALLERS_CLOCK
from adapters.persistence.migrate import migrate
from adapters.persistence.storage import PiccoloStorage, open_storage
from domain.secret import Secret
from tests.distribution import Sharing
from tests.fakes.clock import FakeClock
from tests.fakes.randomness import FakeRandomness
from tests.fakes.vault import FakeVault

# A property is judged by what it finds; how long an example takes is the machine's affair.
hypothesis.settings.register_profile("without_deadline", deadline=None)
hypothesis.settings.load_profile("without_deadline")

_EMPTY = """
DELETE FROM calendly_webhook_event;
DELETE FROM app_user;
DELETE FROM api_key;
DELETE FROM calendly_circuit_breaker;
DELETE FROM calendly_invitee_erasure;
DELETE FROM calendly_user_erasure;
DELETE FROM calendly_erasure_key;
-- Without its triggers, which refuse to delete entries.
SET session_replication_role = replica;
DELETE FROM audit_entry;
RESET session_replication_role;
"""


@pytest.hookimpl(optionalhook=True)  # without pytest-xdist there is no such hook
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Sharing:
    """Let the processes of `pytest -n 2` share the tests as `tests.distribution` says."""
    return Sharing(config, log)


@pytest.fixture(scope="session")
def traversable() -> Iterator[Path]:
    """A folder for servers that run as a user of their own.

    Not pytest's: another pytest that starts during this run would close it to that user.
    """
    made = Path(tempfile.mkdtemp(prefix="slotkeeper-"))
    yield made
    shutil.rmtree(made)


@pytest.fixture
def clock() -> FakeClock:
    """A clock that shows noon until it is moved."""
    return FakeClock()


@pytest.fixture
def randomness() -> FakeRandomness:
    """Randomness that repeats."""
    return FakeRandomness()


@pytest.fixture
def vault() -> FakeVault:
    """A vault without cryptography."""
    return FakeVault()


@pytest.fixture(scope="session")
def postgres(traversable: Path) -> Iterator[EmbeddedPostgres]:
    """A PostgreSQL server for the whole session."""
    with EmbeddedPostgres(traversable / "postgres", durable=False) as server:
        yield server


@pytest.fixture(scope="session")
def migrated(postgres: EmbeddedPostgres) -> Secret:
    """The address of the session's migrated database."""
    address = Secret(postgres.dsn)
    with ThreadPoolExecutor(1) as thread:  # with a loop of its own, away from the tests' loops
        thread.submit(asyncio.run, migrate(address)).result()
        thread.submit(asyncio.run, _move_with_callers(address)).result()
    return address


async def _move_with_callers(address: Secret) -> None:
    """Let the database's time be what the tests' clocks say."""
    connection = await asyncpg.connect(address.reveal())
    ((name, value),) = CALLERS_CLOCK.items()
    database = await connection.fetchval("SELECT current_database()")
    await connection.execute(f"ALTER DATABASE {database} SET {name} = '{value}'")
    await connection.close()


@pytest.fixture
async def database_url(migrated: Secret) -> Secret:
    """The address of a migrated database without any row."""
    connection = await asyncpg.connect(migrated.reveal())
    await connection.execute(_EMPTY)
    await connection.close()
    return migrated


@pytest.fixture
async def empty_database(postgres: EmbeddedPostgres) -> AsyncIterator[Secret]:
    """The address of a database of its own, without any table."""
    name = "without_tables"
    connection = await asyncpg.connect(postgres.dsn)
    await connection.execute(f"CREATE DATABASE {name}")
    yield Secret(postgres.dsn_of(name))
    await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await connection.close()


@pytest.fixture
async def piccolo_storage(database_url: Secret, vault: FakeVault) -> AsyncIterator[PiccoloStorage]:
    """The real store, empty."""
    async with open_storage(database_url, vault, min_size=0) as storage:
        yield storage


@pytest.fixture(scope="session")
def temporal_server(traversable: Path) -> Iterator[TemporalDevServer]:
    """A Temporal dev server for the whole session, with schedules and visibility."""
    with TemporalDevServer(traversable / "temporal") as server:
        yield server
