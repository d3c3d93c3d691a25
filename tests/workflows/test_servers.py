import pytest
from temporalio.testing import WorkflowEnvironment

from adapters.local_stack.temporal_server import TemporalDevServer
from tests.workflows import servers


async def test_a_server_of_another_process_is_not_used(temporal_server: TemporalDevServer) -> None:
    """A Temporal that took the port and answers is not mistaken for the one just started."""
    async with servers.environment_at(temporal_server.address) as foreign:
        attempts = []

        async def start() -> WorkflowEnvironment:
            attempts.append(foreign)
            return foreign

        with pytest.raises(RuntimeError, match="did not start"):
            await servers._started(start)

    assert len(attempts) == servers.STARTS


async def test_a_server_of_this_process_is_used() -> None:
    """The one just started is recognised by its process."""
    with servers.refusing_port() as port:
        pass
    async with servers.dev_server(port) as environment:
        assert environment.client.service_client.config.target_host == f"127.0.0.1:{port}"
