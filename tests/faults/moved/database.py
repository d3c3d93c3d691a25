"""A PostgreSQL for one scenario, migrated."""

import asyncio
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg

from adapters.local_stack.postgres.server import EmbeddedPostgres
from adapters.persistence.migrate import migrate
from domain.secret import Secret

_EMPTY = """
DELETE FROM app_user;
DELETE FROM calendly_circuit_breaker;
"""


@contextmanager
def fresh_database() -> Iterator[Secret]:
    """The address of a server of one's own; it keeps nothing."""
    home = Path(tempfile.mkdtemp(prefix="slotkeeper-faults-"))
    try:
        with EmbeddedPostgres(home / "postgres", durable=False) as server:
            yield Secret(server.dsn)
    finally:
        shutil.rmtree(home, ignore_errors=True)


async def prepare(address: Secret) -> None:
    """Migrate, away from the running loop: the migrations bring their own."""
    await asyncio.to_thread(lambda: asyncio.run(migrate(address)))


async def empty(address: Secret) -> None:
    """Forget what an earlier play on the same database left."""
    connection = await asyncpg.connect(address.reveal())
    await connection.execute(_EMPTY)
    await connection.close()
