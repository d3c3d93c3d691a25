"""The time-skipping server for workflow logic, the real dev server for schedules."""

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from adapters.local_stack.temporal_server import TemporalDevServer
from tests.workflows import servers
from tests.workflows.running import Bench


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def skipping() -> AsyncIterator[WorkflowEnvironment]:
    """A server whose time skips while only timers are awaited."""
    async with servers.time_skipping_server() as environment:
        yield environment


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def dev_server(temporal_server: TemporalDevServer) -> AsyncIterator[WorkflowEnvironment]:
    """A real Temporal server in memory, with schedules and visibility."""
    async with servers.environment_at(temporal_server.address) as environment:
        yield environment


@pytest.fixture
def dev_server_address(temporal_server: TemporalDevServer) -> str:
    """Where the dev server listens, for a process or loop of its own."""
    return temporal_server.address


@pytest.fixture
def closed_address() -> Iterator[str]:
    """An address on the loopback interface that refuses connections."""
    with servers.refusing_port() as port:
        yield f"127.0.0.1:{port}"


@pytest_asyncio.fixture(loop_scope="session")
async def bench(skipping: WorkflowEnvironment) -> Bench:
    """Runs workflows over fake use cases, on a task queue of its own."""
    return Bench(skipping.client)


@pytest_asyncio.fixture(loop_scope="session")
async def temporal(dev_server: WorkflowEnvironment) -> Client:
    """A client of the dev server."""
    return dev_server.client
