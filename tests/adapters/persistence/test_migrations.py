import asyncio
import os
import subprocess
import sys
from pathlib import Path

import asyncpg
import pytest
from piccolo.apps.migrations.auto.schema_snapshot import SchemaSnapshot
from piccolo.apps.migrations.commands.new import AutoMigrationManager

from adapters.persistence.bulkheads import Bulkhead
from adapters.persistence.errors import StoreRefused
from adapters.persistence.migrate import migrate, pending
from adapters.persistence.piccolo_app import APP_CONFIG
from adapters.persistence.storage import open_storage
from domain.secret import Secret
from tests.fakes.vault import FakeVault

ROOT = Path(__file__).parents[3]
SCHEMA = """
SELECT table_name, column_name, data_type, is_nullable, column_default, identity_generation
FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> 'migration'
ORDER BY table_name, column_name
"""
INDEXES = "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY indexdef"


def piccolo(url: Secret, *command: str) -> None:
    """Run Piccolo's own command line."""
    subprocess.run(
        [Path(sys.executable).parent / "piccolo", "migrations", *command],
        cwd=ROOT,
        env=os.environ | {"DATABASE_URL": url.reveal()},
        check=True,
        capture_output=True,
    )


async def schema(url: Secret) -> list[tuple[object, ...]]:
    """Return columns and indexes."""
    connection = await asyncpg.connect(url.reveal())
    found = [tuple(row) for sql in (SCHEMA, INDEXES) for row in await connection.fetch(sql)]
    await connection.close()
    return found


async def test_code_and_migrations_agree() -> None:
    """The migrations make exactly the tables that the code declares, checks included."""
    manager = AutoMigrationManager()
    statements = await manager.get_alter_statements(APP_CONFIG)
    assert [each for group in statements for each in group.statements] == []

    snapshot = SchemaSnapshot(await manager.get_migration_managers(APP_CONFIG)).get_snapshot()
    migrated = {
        constraint._meta.name: constraint._meta.params
        for table in snapshot
        for constraint in table.constraints
    }
    declared = {
        constraint._meta.name: constraint._meta.params
        for table in APP_CONFIG.table_classes
        for constraint in table._meta.constraints
    }
    # Piccolo takes a changed check for the same one, so the conditions are compared here.
    assert {name: str(params) for name, params in declared.items()} == {
        name: str(params) for name, params in migrated.items()
    }


async def test_fresh(empty_database: Secret, capfd: pytest.CaptureFixture[str]) -> None:
    """A fresh database is brought up to date once, in order, without a word on the output."""
    missing = await pending(empty_database)

    assert len(missing) >= 2
    assert missing == sorted(missing)
    assert await migrate(empty_database) == missing
    assert await migrate(empty_database) == []
    assert await pending(empty_database) == []
    assert capfd.readouterr().out == ""


async def test_asking_changes_nothing(empty_database: Secret) -> None:
    """Asking what is pending leaves an empty database empty."""
    async with open_storage(empty_database, FakeVault(), Bulkhead(size=1)) as storage:
        assert await storage.pending_migrations() == await pending(empty_database)

    assert await schema(empty_database) == []


async def test_several_at_once(empty_database: Secret) -> None:
    """Of several concurrent processes one migrates and the others have nothing to do."""
    expected = await pending(empty_database)

    ran = await asyncio.gather(*(migrate(empty_database) for _ in range(4)))

    assert sorted(ran) == [[], [], [], expected]


async def test_all_or_nothing(empty_database: Secret) -> None:
    """A migration that fails leaves no trace of itself or of those before it."""
    connection = await asyncpg.connect(empty_database.reveal())
    await connection.execute("CREATE TABLE calendly_booking (in_the_way int)")
    before = await schema(empty_database)

    with pytest.raises(StoreRefused):
        await migrate(empty_database)
    assert await schema(empty_database) == before

    await connection.execute("DROP TABLE calendly_booking")
    await connection.close()
    assert await migrate(empty_database) != []


async def test_backwards(empty_database: Secret) -> None:
    """Piccolo's own commands undo every migration and run it again to the same schema."""
    await migrate(empty_database)
    migrated = await schema(empty_database)

    await asyncio.to_thread(
        piccolo, empty_database, "backwards", "slotkeeper", "all", "--auto_agree"
    )
    remaining = await schema(empty_database)
    await asyncio.to_thread(piccolo, empty_database, "forwards", "slotkeeper")

    assert [row for row in remaining if "migration_pkey" not in str(row)] == []
    assert await schema(empty_database) == migrated
