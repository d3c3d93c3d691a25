"""A real Temporal server in memory, and an address where none answers."""

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from temporalio.testing import WorkflowEnvironment

from adapters.local_stack.temporal_server import TemporalDevServer
from tests.workflows import servers


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def dev_server(temporal_server: TemporalDevServer) -> AsyncIterator[WorkflowEnvironment]:
    """A server on whose queue `nobody` works: what is started stays open."""
    async with servers.environment_at(temporal_server.address) as environment:
        yield environment


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port of the loopback interface that refuses connections."""
    with servers.refusing_port() as port:
        yield port
