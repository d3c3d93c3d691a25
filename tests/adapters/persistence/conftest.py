"""The real store, with a world to arrange and two stores to race."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from adapters.persistence.storage import PiccoloStorage
from domain.integration import Integration
from domain.secret import Secret
from tests.contracts.persistence.world import World
from tests.fakes.clock import FakeClock
from tests.fakes.randomness import FakeRandomness


@pytest.fixture
def world(piccolo_storage: PiccoloStorage, randomness: FakeRandomness, clock: FakeClock) -> World:
    """Arranges users, integrations and bookings in the real store."""
    return World(piccolo_storage, randomness, clock)


@pytest.fixture
async def ada(world: World) -> Integration:
    """A user's integration that is active."""
    return await world.connect("ada")


@pytest.fixture
async def sql(database_url: Secret) -> AsyncIterator[asyncpg.Connection]:
    """A connection of the test's own, to look behind the store's back."""
    connection = await asyncpg.connect(database_url.reveal())
    yield connection
    await connection.close()
