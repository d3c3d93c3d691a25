from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from adapters.persistence.storage import PiccoloStorage

INSERT = """
INSERT INTO audit_entry (public_id, at, actor, action, result)
VALUES (gen_random_uuid(), now() - $1::interval, 'cli:ada@host', 'x', 'done')
"""


@pytest.mark.parametrize(
    "change",
    ["UPDATE audit_entry SET actor = 'x'", "DELETE FROM audit_entry", "TRUNCATE audit_entry"],
)
async def test_entries_cannot_be_changed(sql: asyncpg.Connection, change: str) -> None:
    """The database itself refuses to change an entry, or to delete one before its retention."""
    await sql.execute(INSERT.replace("$1", "'29 days'"))

    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
        await sql.execute(change)

    assert await sql.fetchval("SELECT actor FROM audit_entry") == "cli:ada@host"


async def test_old_entries_can_be_deleted_but_not_changed(sql: asyncpg.Connection) -> None:
    """Beyond 30 days the retention may delete an entry; a change is refused at any age."""
    await sql.execute(INSERT.replace("$1", "'31 days'"))

    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await sql.execute("UPDATE audit_entry SET actor = 'x'")
    await sql.execute("DELETE FROM audit_entry")

    assert await sql.fetchval("SELECT count(*) FROM audit_entry") == 0


async def test_the_retention_deletes_the_oldest_only(
    sql: asyncpg.Connection, piccolo_storage: PiccoloStorage
) -> None:
    """A page deletes entries beyond the retention; one that is younger than 30 days stays."""
    for age in (500, 450, 100, 29):
        await sql.execute(INSERT.replace("$1", f"'{age} days'"))
    now = datetime.now(UTC)

    async with piccolo_storage() as uow:
        pages = [
            await uow.expired.prune_audit(now - timedelta(days=400), 1),
            await uow.expired.prune_audit(now - timedelta(days=400), 10),
            await uow.expired.prune_audit(now, 10),
        ]
        await uow.commit()

    assert pages == [1, 1, 1]
    assert await sql.fetchval("SELECT count(*) FROM audit_entry") == 1
