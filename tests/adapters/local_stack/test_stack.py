import dataclasses
import errno
import socket
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from adapters.local_stack.errors import ChildDiedError, PortUnavailableError
from adapters.local_stack.processes.ports import Port
from adapters.local_stack.stack import LocalStack
from tests.adapters.local_stack.postgres_client import fetch
from tests.adapters.local_stack.stacks import TestStack, running_stack, watch


async def test_the_service_stops_before_what_it_uses(stack: TestStack) -> None:
    """Web and worker are asked to stop while all the others still run."""
    with running_stack(stack.config):
        pass

    assert not (stack.home / "stack.json").exists()
    stops = [line for line in stack.journal() if "asked to stop" in line]
    everything = "asked to stop, with postgres temporal sandbox"
    assert {f"web {everything}", f"worker {everything}"} == set(stops[:2])
    assert stops[2:] == ["sandbox asked to stop, with "]


async def test_a_second_start_keeps_data_and_api_key(stack: TestStack) -> None:
    """The database and the API key of the first start are those of the second."""
    with running_stack(stack.config) as first:
        await fetch(first.database_url, "CREATE TABLE kept AS SELECT 42 AS answer")
    with running_stack(stack.config) as second:
        answer = await fetch(second.database_url, "SELECT answer FROM kept")

    assert answer == 42
    assert first.api_key == second.api_key
    assert first.api_key.startswith("key-")


async def test_deliveries_follow_the_web_page_to_another_port(stack: TestStack) -> None:
    """Webhook subscriptions are healed when the page's address changed, and only then."""
    first_port, other_port = free_port(), free_port()
    healing = "schedules trigger heal-calendly-webhooks ended"
    seen = []
    for port in (first_port, first_port, other_port):
        ports = dataclasses.replace(stack.config.ports, web=port)
        with running_stack(dataclasses.replace(stack.config, ports=ports)):
            seen.append(stack.journal().count(healing))

    assert seen == [0, 0, 1]


async def test_a_new_database_gets_a_new_api_key(stack: TestStack) -> None:
    """A key that was made for a database that is gone is not handed out again."""
    with running_stack(stack.config) as first:
        pass
    (stack.home / "postgres").rename(stack.home.parent / "moved-away")
    with running_stack(stack.config) as second:
        pass

    assert first.api_key != second.api_key


def test_a_port_in_use_is_replaced_and_reported(stack: TestStack) -> None:
    """Another program has a port, or another part of the stack: the part gets a free one."""
    mine = free_port()
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken = server.getsockname()[1]
        ports = dataclasses.replace(
            stack.config.ports, web=taken, sandbox=mine, worker_metrics=mine
        )
        running = LocalStack(dataclasses.replace(stack.config, ports=ports))
        addresses = running.start()
        running.stop()

    assert running.replaced_ports == {"web": taken, "worker_metrics": mine}
    assert addresses.sandbox_url == f"http://localhost:{mine}"
    assert addresses.web_url != f"http://localhost:{taken}"
    assert str(mine) not in addresses.worker_metrics_url


def test_a_required_port_in_use_leaves_nothing(folder: Path) -> None:
    """A chosen port in use is an error before anything is made; a home that exists is kept."""
    config = TestStack(folder / "home").config
    with socket.create_server(("127.0.0.1", 0)) as server:
        ports = dataclasses.replace(config.ports, sandbox=server.getsockname()[1])
        config = dataclasses.replace(config, ports=ports, required_ports={"sandbox"})
        with pytest.raises(PortUnavailableError, match="--sandbox-port or SANDBOX_PORT"):
            LocalStack(config).start()
        made = config.home.exists()
        config.home.mkdir()
        with pytest.raises(PortUnavailableError):
            LocalStack(config).start()

    assert not made
    assert config.home.exists()


def test_no_program_can_take_the_port_of_a_part_that_is_not_up_yet(stack: TestStack) -> None:
    """Web, sandbox and metrics have their ports from the choice on, and give them up at the end."""
    ports = dataclasses.replace(
        stack.config.ports, web=free_port(), sandbox=free_port(), worker_metrics=free_port()
    )
    refused = []

    def take_all(_part: str) -> None:
        for port in (ports.web, ports.sandbox, ports.worker_metrics):
            with suppress(OSError), socket.create_server(("127.0.0.1", port)):
                continue
            refused.append(port)

    running = LocalStack(dataclasses.replace(stack.config, ports=ports), on_progress=take_all)
    addresses = running.start()
    psutil.Process(addresses.pids["web"]).kill()
    with pytest.raises(ChildDiedError):
        watch(running)
    with socket.socket() as probe:
        after_its_end = probe.connect_ex(("127.0.0.1", ports.web))
    running.stop()

    assert len(refused) == 3 * len(PARTS)
    assert after_its_end == errno.ECONNREFUSED


PARTS = (
    "PostgreSQL",
    "Temporal",
    "sandbox Calendly",
    "migrations",
    "schedules",
    "web",
    "worker",
)


def free_port() -> int:
    """A port at which nothing listens now."""
    port = Port("web")
    port.hold()
    port.release()
    return port.number
