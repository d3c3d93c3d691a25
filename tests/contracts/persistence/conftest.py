"""Each contract holds for the fake and for the real store."""

import pytest

from application.ports.storage.unit_of_work import Storage
from domain.integration import Integration
from tests.contracts.persistence.world import World
from tests.fakes.clock import FakeClock
from tests.fakes.randomness import FakeRandomness
from tests.fakes.storage import FakeStorage


@pytest.fixture(params=["fake", "piccolo"])
def storage(request: pytest.FixtureRequest) -> Storage:
    """The store under contract, empty."""
    if request.param == "fake":
        return FakeStorage()
    real: Storage = request.getfixturevalue("piccolo_storage")
    return real


@pytest.fixture
def world(storage: Storage, randomness: FakeRandomness, clock: FakeClock) -> World:
    """Arranges users, integrations and bookings in the store."""
    return World(storage, randomness, clock)


@pytest.fixture
async def ada(world: World) -> Integration:
    """A user's integration that is active."""
    return await world.connect("ada")
