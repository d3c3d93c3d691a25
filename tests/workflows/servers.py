"""Temporal servers for tests: the time-skipping one, and the real dev server in memory.

A test that only needs a dev server shares the session's; `dev_server` is for one that must come
and go.
"""

import socket
import sysconfig
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path

import psutil
from temporalio.testing import WorkflowEnvironment

from adapters.local_stack.processes.ports import listening_ports
from adapters.local_stack.temporal_server import NAMESPACE
from adapters.temporal.connect import connect, settle
from adapters.temporal.data_converter import DATA_CONVERTER

SCRIPTS = Path(sysconfig.get_path("scripts"))

# The SDK waits five seconds for a server to come up, which a busy machine may need longer for.
STARTS = 5


@asynccontextmanager
async def time_skipping_server() -> AsyncIterator[WorkflowEnvironment]:
    """A server whose time skips while only timers are awaited; it has no schedules."""

    async def start() -> WorkflowEnvironment:
        return await WorkflowEnvironment.start_time_skipping(
            test_server_existing_path=str(SCRIPTS / "temporal-test-server"),
            data_converter=DATA_CONVERTER,
        )

    async with await _started(start) as environment:
        yield environment
    await settle()


@asynccontextmanager
async def dev_server(port: int | None = None) -> AsyncIterator[WorkflowEnvironment]:
    """A real server in memory, with schedules and visibility."""

    async def start() -> WorkflowEnvironment:
        return await WorkflowEnvironment.start_local(
            dev_server_existing_path=str(SCRIPTS / "temporal"),
            data_converter=DATA_CONVERTER,
            dev_server_log_level="error",
            port=port,
        )

    async with await _started(start) as environment:
        yield environment
    await settle()


@asynccontextmanager
async def environment_at(address: str) -> AsyncIterator[WorkflowEnvironment]:
    """The server that runs at `host:port`, with a client of this loop's."""
    yield WorkflowEnvironment.from_client(await connect(address, NAMESPACE))
    await settle()


@contextmanager
def refusing_port() -> Iterator[int]:
    """A port of the loopback interface that refuses connections while the block runs.

    It is bound, so no other program can have it, and does not listen.
    """
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port: int = bound.getsockname()[1]
        yield port


async def _started(start: Callable[[], Awaitable[WorkflowEnvironment]]) -> WorkflowEnvironment:
    """Start a server, again if another program had its port and may have answered for it."""
    for _ in range(STARTS):
        with suppress(RuntimeError):
            environment = await start()
            if _is_ours(environment):
                return environment
            await environment.shutdown()
    raise RuntimeError(f"the server did not start in {STARTS} attempts")


def _is_ours(environment: WorkflowEnvironment) -> bool:
    """Whether a process that this one started listens at the environment's address."""
    port = int(environment.client.service_client.config.target_host.rpartition(":")[2])
    children = psutil.Process().children()
    return any(port in listening_ports(child.pid) for child in children)
