import pytest

from domain.errors import StorageUnavailable
from domain.ids import UserId
from tests.fakes.clock import NOON
from tests.fakes.randomness import FakeRandomness
from tests.fakes.storage import FakeStorage


async def add_user(storage: FakeStorage, name: str) -> None:
    """Store a user, committed."""
    async with storage() as uow:
        await uow.users.ensure(name, UserId(FakeRandomness().new_id()), NOON)
        await uow.commit()


async def test_openings_fail() -> None:
    """Scripted openings fail in their order, each once; None lets one through."""
    storage = FakeStorage()
    first, second = StorageUnavailable("first"), StorageUnavailable("second")
    storage.fail_next(first, None, second)

    with pytest.raises(StorageUnavailable, match="first"):
        await storage.ping()
    await storage.ping()
    with pytest.raises(StorageUnavailable, match="second"):
        await storage.ping()
    await storage.ping()


async def test_commit_fails() -> None:
    """A failed commit stores nothing."""
    storage = FakeStorage()
    storage.fail_next_commit()

    with pytest.raises(StorageUnavailable):
        await add_user(storage, "ada")

    assert storage.state.users == {}
    assert storage.commits == 0


async def test_answer_lost() -> None:
    """A commit whose answer is lost has stored everything."""
    storage = FakeStorage()
    storage.fail_next_commit(stored=True)

    with pytest.raises(StorageUnavailable):
        await add_user(storage, "ada")

    assert list(storage.state.users) == ["ada"]
