"""The round trips of the availability cache, and the locks that it never waits for."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime

import asyncpg
import pytest

from adapters.persistence.repositories.availability_cache import PiccoloAvailabilityCache
from adapters.persistence.session import Session
from adapters.persistence.storage import PiccoloStorage
from application.ports.storage.availability_cache import CacheEntry, CacheKind, Change, Scope
from domain.integration import Integration
from tests.contracts.persistence.world import World
from tests.fakes.clock import NOON

PARTS = [
    CacheEntry(kind=kind, key="", content=b"[]", fetched_at=NOON, etag='"one"')
    for kind in CacheKind
]
KEYS = [each.cache_key for each in PARTS]


class Counted(Session):
    """Counts statements."""

    def __init__(self) -> None:
        self.statements = 0

    async def rows(self, sql: str, *values: object) -> list[asyncpg.Record]:
        """Count one."""
        self.statements += 1
        return await super().rows(sql, *values)

    async def row(self, sql: str, *values: object) -> asyncpg.Record | None:
        """Count one."""
        self.statements += 1
        return await super().row(sql, *values)

    async def run(self, sql: str, *values: object) -> None:
        """Count one."""
        self.statements += 1
        await super().run(sql, *values)

    async def run_each(self, sql: str, values: Iterable[Sequence[object]]) -> None:
        """Count as many as there are values."""
        listed = list(values)
        self.statements += len(listed)
        await super().run_each(sql, listed)


ACTS: dict[str, Callable[[PiccoloAvailabilityCache, Integration], Awaitable[object]]] = {
    "heads": lambda cache, ada: cache.entries(ada.id),
    "put": lambda cache, ada: cache.put(ada.user_id, ada.id, PARTS),
    "renew": lambda cache, ada: cache.renew(ada.user_id, ada.id, PARTS),
    "mark_failed": lambda cache, ada: cache.mark_failed(ada.user_id, ada.id, PARTS),
    "keep_only": lambda cache, ada: cache.keep_only(ada.user_id, CacheKind.SLOTS, ["a", "b"]),
    "drop": lambda cache, ada: cache.drop(ada.user_id, KEYS),
    "invalidate": lambda cache, ada: cache.invalidate_each(
        {ada.user_id: Change("booked", "renamed")}, NOON
    ),
    "begin anew": lambda cache, ada: cache.invalidate(
        [ada.user_id], NOON, by="reconnect", scope=Scope.EVERYTHING
    ),
    "mark_read": lambda cache, ada: cache.mark_read({(ada.user_id, at): NOON for at in KEYS}),
}


@pytest.mark.parametrize("act", ACTS.values(), ids=list(ACTS))
async def test_one_statement(
    piccolo_storage: PiccoloStorage,
    ada: Integration,
    act: Callable[[PiccoloAvailabilityCache, Integration], Awaitable[object]],
) -> None:
    """Every operation on the cache is one statement, for any number of entries."""
    session = Counted()
    async with piccolo_storage():
        await act(PiccoloAvailabilityCache(session), ada)

    assert session.statements == 1


async def read_at(sql: asyncpg.Connection, owner: Integration) -> datetime | None:
    """Return when a user's availability was last read."""
    found: datetime | None = await sql.fetchval(
        "SELECT availability_read_at FROM calendly_integration WHERE public_id = $1", owner.id
    )
    return found


async def test_marks_wait_for_no_lock(
    piccolo_storage: PiccoloStorage, world: World, sql: asyncpg.Connection, ada: Integration
) -> None:
    """Marks of a user whose row is locked are dropped; the others are written without waiting."""
    grace = await world.connect("grace")
    async with piccolo_storage() as uow:
        for owner in (ada, grace):
            await uow.availability.put(owner.user_id, owner.id, PARTS)
        await uow.commit()
    changing = sql.transaction()
    await changing.start()
    await sql.execute("SELECT 1 FROM calendly_integration WHERE public_id = $1 FOR UPDATE", ada.id)

    async with asyncio.timeout(5), piccolo_storage() as uow:
        await uow.availability.mark_read(
            {(owner.user_id, KEYS[0]): NOON for owner in (ada, grace)}
        )
        await uow.commit()
    await changing.rollback()

    assert await read_at(sql, ada) is None
    assert await read_at(sql, grace) == NOON
