"""Steps and checks for tests of the availability cache, each in one unit of work."""

from datetime import datetime, timedelta

from msgspec.structs import replace

from application.ports.storage.availability_cache import CacheEntry, CacheKind, Scope
from application.ports.storage.unit_of_work import Storage
from domain.availability import Window
from domain.ids import UserId
from domain.integration import Integration
from tests.fakes.clock import NOON

MINUTE = timedelta(minutes=1)
BUSY = CacheEntry(kind=CacheKind.BUSY, key="", content=b"[]", fetched_at=NOON)
EVENT_TYPES = CacheEntry(kind=CacheKind.EVENT_TYPES, key="", content=b"[]", fetched_at=NOON)
SCHEDULES = CacheEntry(kind=CacheKind.SCHEDULES, key="", content=b"[]", fetched_at=NOON)


def slots(key: str = "https://api.calendly.com/event_types/A", **changes: object) -> CacheEntry:
    """Return slots as they were fetched at noon."""
    covers = Window(start=NOON, end=NOON + timedelta(days=31))
    plain = CacheEntry(
        kind=CacheKind.SLOTS, key=key, content=b'["\xc3\xa4"]', fetched_at=NOON, covers=covers
    )
    return replace(plain, **changes)


async def put(storage: Storage, owner: Integration, *entries: CacheEntry) -> None:
    """Store entries, committed."""
    async with storage() as uow:
        await uow.availability.put(owner.user_id, owner.id, entries)
        await uow.commit()


async def invalidate(
    storage: Storage, *users: UserId, at: datetime, by: str = "test", scope: Scope | None = None
) -> None:
    """Invalidate, committed."""
    async with storage() as uow:
        if scope is None:
            await uow.availability.invalidate(users, at, by=by)
        else:
            await uow.availability.invalidate(users, at, by=by, scope=scope)
        await uow.commit()


async def read(storage: Storage, owner: Integration, entry: CacheEntry) -> CacheEntry | None:
    """Read a part."""
    async with storage() as uow:
        return await uow.availability.read(owner.user_id, entry.kind, entry.key)


def failed(kind: CacheKind, key: str, code: str, at: datetime = NOON) -> CacheEntry:
    """Return an entry that could not be fetched."""
    return CacheEntry(kind=kind, key=key, content=b"", fetched_at=at, error_code=code)


async def mark_failed(storage: Storage, owner: Integration, *entries: CacheEntry) -> None:
    """Mark entries as failed, committed."""
    async with storage() as uow:
        await uow.availability.mark_failed(owner.user_id, owner.id, entries)
        await uow.commit()


async def renew(storage: Storage, owner: Integration, *entries: CacheEntry) -> None:
    """Renew entries, committed."""
    async with storage() as uow:
        await uow.availability.renew(owner.user_id, owner.id, entries)
        await uow.commit()


async def invalidations(storage: Storage, owner: Integration) -> dict[CacheKind, str | None]:
    """Return the reason of invalidation by kind of entry, if there is one."""
    found = [await read(storage, owner, each) for each in (slots(), BUSY, EVENT_TYPES, SCHEDULES)]
    return {each.kind: each.invalidated_by for each in found if each and each.invalidated_at}
