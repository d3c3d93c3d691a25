import dataclasses
import socket

from adapters.local_stack.processes.ports import free_port
from adapters.local_stack.stack import LocalStack, running_stack
from tests.adapters.local_stack.postgres_client import fetch
from tests.adapters.local_stack.stacks import TestStack


async def test_the_service_stops_before_what_it_uses(stack: TestStack) -> None:
    """Web and worker are asked to stop while all the others still run."""
    async with running_stack(stack.config):
        pass

    assert not (stack.home / "stack.json").exists()
    stops = [line for line in stack.journal() if "asked to stop" in line]
    everything = "asked to stop, with postgres temporal sandbox"
    assert {f"web {everything}", f"worker {everything}"} == set(stops[:2])
    assert stops[2:] == ["sandbox asked to stop, with "]


async def test_a_second_start_keeps_data_and_api_key(stack: TestStack) -> None:
    """The database and the API key of the first start are those of the second."""
    async with running_stack(stack.config) as first:
        await fetch(first.database_url, "CREATE TABLE kept AS SELECT 42 AS answer")
    async with running_stack(stack.config) as second:
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
        async with running_stack(dataclasses.replace(stack.config, ports=ports)):
            seen.append(stack.journal().count(healing))

    assert seen == [0, 0, 1]


async def test_a_new_database_gets_a_new_api_key(stack: TestStack) -> None:
    """A key that was made for a database that is gone is not handed out again."""
    async with running_stack(stack.config) as first:
        pass
    (stack.home / "postgres").rename(stack.home.parent / "moved-away")
    async with running_stack(stack.config) as second:
        pass

    assert first.api_key != second.api_key


async def test_a_taken_port_is_replaced_and_said(stack: TestStack) -> None:
    """A part whose port is taken gets another one, and the stack says whose it was."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken = server.getsockname()[1]
        ports = dataclasses.replace(stack.config.ports, web=taken)
        running = LocalStack(dataclasses.replace(stack.config, ports=ports))
        addresses = running.start()
        running.stop()

    assert running.replaced_ports == {"web": taken}
    assert addresses.web_url != f"http://localhost:{taken}"
