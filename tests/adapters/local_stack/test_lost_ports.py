"""A port that another program takes between its choice and its server's start, and answers at.

The other program is a real server of the same kind, so that its answers are right.
"""

import dataclasses
import socket
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from temporalio.client import Client

from adapters.local_stack import temporal_server
from adapters.local_stack.errors import PortUnavailableError
from adapters.local_stack.postgres.server import EmbeddedPostgres
from adapters.local_stack.processes.ports import Port, listening_ports
from adapters.local_stack.stack import LocalStack
from adapters.local_stack.temporal_server import TemporalDevServer
from tests.adapters.local_stack.postgres_client import fetch
from tests.adapters.local_stack.stacks import TestStack, copy_cluster, own_folder, processes_in


@pytest.fixture
def lose(monkeypatch: pytest.MonkeyPatch) -> "Lose":
    return Lose(monkeypatch)


class Lose:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch

    def __call__(self, port: Port, to: Port) -> None:
        """Let *port* be chosen as if it were free, although *to* has it."""
        port.number = port.wanted = to.number
        self._monkeypatch.setattr(port, "hold", lambda: None)


@pytest.fixture(scope="module")
def other_temporal() -> Iterator[TemporalDevServer]:
    """A Temporal of another stack, with its web UI."""
    with (
        own_folder() as folder,
        TemporalDevServer(folder / "other", ui_port=Port("temporal_ui")) as server,
    ):
        yield server


def ports_of(server: TemporalDevServer) -> dict[str, Port]:
    """The ports of a server, by their part."""
    return {port.part: port for port in server._ports}


async def test_postgresql_starts_at_another_port(
    folder: Path, cluster: Path, postgres: EmbeddedPostgres, lose: Lose
) -> None:
    """The address is that of the server just started, not of the one that took its port."""
    copy_cluster(cluster, folder / "pg")
    server = EmbeddedPostgres(folder / "pg", durable=False)
    lose(server.port, postgres.port)

    with server:
        mine = await fetch(server.dsn, "SELECT current_setting('data_directory')")

    assert server.port.number != postgres.port.number
    assert mine == str(folder / "pg" / "data")


@pytest.mark.parametrize("part", ["temporal", "temporal_http", "temporal_ui"])
async def test_temporal_starts_at_another_port(
    folder: Path, other_temporal: TemporalDevServer, lose: Lose, part: str
) -> None:
    """All answers come from the process just started, for each port that it may lose."""
    server = TemporalDevServer(folder / "t", ui_port=Port("temporal_ui"))
    ports = ports_of(server)
    lose(ports[part], ports_of(other_temporal)[part])

    with server:
        listening = listening_ports(server.child.pid)
        client = await Client.connect(server.address)
        await client.start_workflow("never_worked", id=f"mine-{part}", task_queue="unused")

    assert {port.number for port in ports.values()} <= listening
    other = await Client.connect(other_temporal.address)
    assert [each.id async for each in other.list_workflows(f"WorkflowId = 'mine-{part}'")] == []


def test_a_temporal_that_runs_without_its_ui_starts_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that goes on after it lost a port is not believed either."""
    server = TemporalDevServer(folder / "t", ui_port=Port("temporal_ui"))
    ui = ports_of(server)["temporal_ui"]
    ui.hold()
    lost = ui.number
    program = folder / "temporal"
    real = temporal_server._temporal_program()
    program.write_text(_WITHOUT_UI_AT.format(python=sys.executable, real=real, lost=lost))
    program.chmod(0o755)
    monkeypatch.setattr(temporal_server, "_temporal_program", lambda: str(program))

    with ThreadPoolExecutor(1) as thread:
        other = thread.submit(serve_once_used, server.port, lost)
        with server, other.result():
            assert ui.number != lost
            assert ui.number in listening_ports(server.child.pid)


# Temporal looks whether its ports are free when it starts; this one loses its UI's later.
_WITHOUT_UI_AT = """#!{python} -IS
import os, sys
options = sys.argv[1:]
if "--ui-port={lost}" in options:
    options = [each for each in options if not each.startswith("--ui-")] + ["--headless"]
os.execv("{real}", ["temporal", *options])
"""


def serve_once_used(awaited: Port, port: int) -> socket.socket:
    """Listen at *port* as soon as a server does at the *awaited* one."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if awaited.number and probe.connect_ex(("127.0.0.1", awaited.number)) == 0:
                break
        time.sleep(0.01)
    return socket.create_server(("127.0.0.1", port))


def test_a_required_port_that_was_lost_is_an_error(
    folder: Path, other_temporal: TemporalDevServer, lose: Lose
) -> None:
    """A chosen port is not replaced: the error names it, and nothing keeps running."""
    server = TemporalDevServer(folder / "t", port=Port("temporal", 1, required=True))
    lose(server.port, other_temporal.port)

    with pytest.raises(PortUnavailableError, match=f"port {other_temporal.port.number} cannot"):
        server.start()
    assert processes_in(folder) == []


async def test_a_stack_goes_on_with_another_port_and_reports_it(
    stack: TestStack, postgres: EmbeddedPostgres, lose: Lose
) -> None:
    """The service gets the database at its new port, and the lost one is reported."""
    running = LocalStack(stack.config)
    lose(running._ports["postgres"], postgres.port)
    addresses = running.start()
    data = await fetch(addresses.database_url, "SELECT current_setting('data_directory')")
    running.stop()

    assert running.replaced_ports == {"postgres": postgres.port.number}
    assert data == str(stack.home / "postgres" / "data")


def test_a_required_port_that_a_stack_lost_leaves_nothing(
    folder: Path, postgres: EmbeddedPostgres, lose: Lose
) -> None:
    """No process and no folder is left when a chosen port is lost while the stack starts."""
    config = TestStack(folder / "new").config
    ports = dataclasses.replace(config.ports, postgres=1)
    config = dataclasses.replace(config, ports=ports, required_ports={"postgres"})
    running = LocalStack(config)
    lose(running._ports["postgres"], postgres.port)

    with pytest.raises(PortUnavailableError, match="--postgres-port or POSTGRES_PORT"):
        running.start()
    assert processes_in(folder) == []
    assert not config.home.exists()
