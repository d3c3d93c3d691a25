from datetime import timedelta

import pytest

from adapters.persistence.storage import PiccoloStorage
from application.ports.storage.api_keys import ApiKey
from application.ports.storage.unit_of_work import Storage
from application.ports.storage.version_lookup import VersionLookup
from application.ports.storage.webhook_events import NewEvent
from domain.ids import IntegrationId
from domain.integration import Integration
from tests.contracts.persistence.world import World
from tests.fakes.clock import NOON
from tests.fakes.storage import FakeStorage
from tests.fakes.version_lookup import FakeVersionLookup

KEY = b"k" * 32
OTHER = b"o" * 32


@pytest.fixture
def versions(storage: Storage) -> VersionLookup:
    """The standings of the store under contract."""
    if isinstance(storage, PiccoloStorage):
        return storage.versions()
    assert isinstance(storage, FakeStorage)
    return FakeVersionLookup(storage)


@pytest.fixture
async def key(storage: Storage, world: World) -> ApiKey:
    """A live API key with the hash KEY."""
    made = ApiKey(world.randomness.new_id(), "back end", "sk_live", NOON)
    async with storage() as uow:
        await uow.api_keys.add(made, KEY)
        await uow.commit()
    return made


@pytest.mark.usefixtures("key")
async def test_what_changes_availability_changes_the_version(
    storage: Storage, versions: VersionLookup, ada: Integration
) -> None:
    """A version stays while nothing happens, and is another one after an invalidation."""
    before = await versions.current(KEY, ada.id)
    assert await versions.current(KEY, ada.id) == before

    async with storage() as uow:
        await uow.availability.invalidate([ada.user_id], NOON, by="invitee.created")
        await uow.commit()

    after = await versions.current(KEY, ada.id)
    assert before is not None
    assert after is not None
    assert after > before


@pytest.mark.usefixtures("key")
async def test_another_users_change_leaves_the_version(
    storage: Storage, versions: VersionLookup, ada: Integration, world: World
) -> None:
    """A change for one user is not a change for another."""
    grace = await world.connect("grace")
    before = await versions.current(KEY, ada.id)

    async with storage() as uow:
        await uow.availability.invalidate([grace.user_id], NOON, by="invitee.created")
        await uow.commit()

    assert await versions.current(KEY, ada.id) == before


async def test_a_key_that_is_not_active_gets_no_version(
    storage: Storage, versions: VersionLookup, ada: Integration, key: ApiKey
) -> None:
    """An unknown key and a revoked one get no version."""
    assert await versions.current(OTHER, ada.id) is None

    async with storage() as uow:
        await uow.api_keys.revoke(key.id, NOON + timedelta(minutes=1))
        await uow.commit()

    assert await versions.current(KEY, ada.id) is None


@pytest.mark.usefixtures("key")
async def test_while_a_webhook_waits_there_is_no_version(
    storage: Storage, versions: VersionLookup, ada: Integration, world: World
) -> None:
    """While a user's webhook is not applied, there is no version for this user alone."""
    grace = await world.connect("grace")
    event = world.webhook(user_id=ada.user_id)
    async with storage() as uow:
        await uow.webhook_events.store([NewEvent(event)])
        await uow.commit()

    assert await versions.current(KEY, ada.id) is None
    assert await versions.current(KEY, grace.id) is not None

    async with storage() as uow:
        await uow.webhook_events.applied(event.id, NOON)
        await uow.commit()

    assert await versions.current(KEY, ada.id) is not None


@pytest.mark.usefixtures("key")
async def test_an_integration_has_to_be_active(
    storage: Storage, versions: VersionLookup, ada: Integration, world: World
) -> None:
    """An integration that is gone, or being disconnected, has no version."""
    assert await versions.current(KEY, IntegrationId(world.randomness.new_id())) is None

    async with storage() as uow:
        await uow.integrations.mark_disconnecting(ada.id)
        await uow.commit()

    assert await versions.current(KEY, ada.id) is None
