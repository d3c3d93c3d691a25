from application.ports.storage.unit_of_work import Storage
from domain.audit import AuditEntry
from tests.contracts.persistence.world import World
from tests.fakes.clock import NOON


async def test_entries_are_read_latest_first(storage: Storage, world: World) -> None:
    """Every field of an entry comes back, page after page, in the order of the acts."""
    first = AuditEntry(world.randomness.new_id(), NOON, "cli:ada@host", "api_key_created")
    full = AuditEntry(
        world.randomness.new_id(), NOON, "key:1", "x", world.randomness.new_id(), 3, "late", "r-1"
    )
    async with storage() as uow:
        await uow.audit.add(first)
        await uow.audit.add(full)
        await uow.commit()

    async with storage() as uow:
        assert await uow.audit.page(5) == [full, first]
        assert await uow.audit.page(1) == [full]
        assert await uow.audit.page(5, before=full.id) == [first]
        assert await uow.audit.page(5, before=world.randomness.new_id()) == []


async def test_an_entry_counts_with_its_transaction(storage: Storage, world: World) -> None:
    """An act that is rolled back leaves no entry."""
    async with storage() as uow:
        await uow.audit.add(AuditEntry(world.randomness.new_id(), NOON, "key:1", "x"))

    async with storage() as uow:
        assert await uow.audit.page(5) == []
