"""A real Temporal server in memory, and an address where none answers."""

import socket
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from temporalio.testing import WorkflowEnvironment

from tests.workflows import servers


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def dev_server() -> AsyncIterator[WorkflowEnvironment]:
    """A server without a worker: what is started stays open."""
    async with servers.dev_server() as environment:
        yield environment


@pytest.fixture
def closed_port() -> int:
    """A port on the loopback at which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
