from collections.abc import AsyncIterator, Iterator

import pytest

from domain.secret import Secret
from tests.adapters.web.fakes import StandInServices
from tests.adapters.web.real_edge import Edge, open_edge, running_sandbox
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


@pytest.fixture(scope="module")
def sandbox_url() -> Iterator[str]:
    """Return the address of a sandbox Calendly of the module's own."""
    with running_sandbox(2) as url:
        yield url


@pytest.fixture
async def edge(database_url: Secret, sandbox_url: str) -> AsyncIterator[Edge]:
    """The whole service, with a user who has a connected account."""
    async with open_edge(database_url, sandbox_url) as edge:
        await edge.connect(1)
        yield edge
