import asyncpg
import pytest

from adapters.persistence.migrate import MIGRATION_LOCK, migrate, pending
from domain.errors import StorageUnavailable
from domain.secret import Secret


async def test_a_migration_may_have_a_lock_timeout(empty_database: Secret) -> None:
    """With a lock_timeout in the address migrating gives up, changes nothing, and is repeatable."""
    address = empty_database.reveal()
    hasty = Secret(f"{address}{'&' if '?' in address else '?'}lock_timeout=100ms")
    other = await asyncpg.connect(empty_database.reveal())
    async with other.transaction():
        await other.execute("SELECT pg_advisory_xact_lock($1)", MIGRATION_LOCK)
        with pytest.raises(StorageUnavailable):
            await migrate(hasty)
    tables = await other.fetchval("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
    await other.close()

    assert tables == 0
    assert await migrate(hasty)
    assert await pending(empty_database) == []
