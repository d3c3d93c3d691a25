from pathlib import Path

import psutil
from temporalio.client import Client

from adapters.local_stack.processes.ports import Port
from adapters.local_stack.processes.waiting import answers_ok
from adapters.local_stack.temporal_server import TemporalDevServer


async def start_workflow(address: str) -> None:
    client = await Client.connect(address)
    await client.start_workflow("never_worked", id="kept", task_queue="nobody")


async def test_a_second_start_keeps_the_workflows(folder: Path) -> None:
    """A workflow that was started before a stop is there after the next start."""
    with TemporalDevServer(folder / "t", persistent=True) as temporal:
        await start_workflow(temporal.address)
    with TemporalDevServer(folder / "t", persistent=True) as temporal:
        client = await Client.connect(temporal.address)
        description = await client.get_workflow_handle("kept").describe()

    assert description.workflow_type == "never_worked"


async def test_search_attributes_are_registered(folder: Path) -> None:
    """A query can use the search attributes that the server was started with."""
    server = TemporalDevServer(folder / "t", search_attributes={"Stage": "Keyword"})
    with server as temporal:
        client = await Client.connect(temporal.address)
        count = await client.count_workflows("Stage = 'none'")

    assert count.count == 0


def test_the_web_ui_answers_at_its_port(folder: Path) -> None:
    """With a UI port the web UI is served there."""
    port = Port("temporal_ui")
    with TemporalDevServer(folder / "t", ui_port=port):
        assert answers_ok(port.url)


def test_stop_leaves_no_process(folder: Path) -> None:
    """After a stop the server and its supervisor are gone."""
    server = TemporalDevServer(folder / "t")
    server.start()
    process = psutil.Process(server.child.pid)
    supervisor = process.parent()
    server.stop()

    assert not process.is_running()
    assert supervisor is not None
    assert not supervisor.is_running()
