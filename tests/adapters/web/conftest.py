from collections.abc import AsyncIterator

import pytest

from tests.adapters.web.fakes import StandInServices
from tests.adapters.web.serving import Client, serving, settings_with


@pytest.fixture
def services() -> StandInServices:
    """Services of a sound configuration without a demo user."""
    return StandInServices(settings_with(RETURN_ORIGINS="https://app.example.com"))


@pytest.fixture
async def client(services: StandInServices) -> AsyncIterator[Client]:
    """A client of an application over `services`."""
    async with serving(services) as client:
        yield client
