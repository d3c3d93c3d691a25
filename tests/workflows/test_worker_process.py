import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from temporalio.client import Client

from adapters.temporal.jobs import TemporalJobs
from adapters.temporal.schedules import ScheduleFaults, compare_schedules
from domain.secret import Secret
from tests.adapters.sound_environ import SOUND
from tests.workflows import servers
from tests.workflows.eventually import eventually

pytestmark = pytest.mark.asyncio(loop_scope="session")

UNREACHABLE = "http://127.0.0.1:9"
WAIT_SECONDS = 45  # seconds for a step of a program that has just started, on a busy machine


@asynccontextmanager
async def worker(
    folder: Path, database_url: Secret, temporal_port: int, metrics: socket.socket
) -> AsyncIterator[subprocess.Popen[bytes]]:
    """Run `slotkeeper worker` as a process; its output goes to `folder/log`."""
    environ = {
        **SOUND,
        "PATH": os.environ["PATH"],
        "DATABASE_URL": database_url.reveal(),
        "TEMPORAL_ADDRESS": f"127.0.0.1:{temporal_port}",
        "CALENDLY_API_URL": UNREACHABLE,
        "CALENDLY_AUTH_URL": UNREACHABLE,
    }
    program = [sys.executable, "-m", "adapters.cli", "worker"]
    options = ["--ready-file", str(folder / "ready"), "--metrics-fd", str(metrics.fileno())]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(  # noqa: ASYNC220 - returns immediately
            [*program, *options],
            env=environ,
            stdout=log,
            stderr=subprocess.STDOUT,
            pass_fds=[metrics.fileno()],
        )
        metrics.close()
    try:
        yield process
    finally:
        process.kill()
        process.wait()


async def scheduled(client: Client) -> bool:
    """Whether no schedule is missing or different."""
    return await compare_schedules(client) == ScheduleFaults()


async def test_a_worker_starts_before_temporal_and_ends_on_sigterm(
    tmp_path: Path, database_url: Secret
) -> None:
    """A worker started first waits for Temporal, then works, and ends cleanly.

    It serves metrics, and creates the schedules that a new Temporal does not have.
    """
    metrics = socket.create_server(("127.0.0.1", 0))
    metrics_url = f"http://127.0.0.1:{metrics.getsockname()[1]}/metrics"
    ready, log = tmp_path / "ready", tmp_path / "log"

    async def waits() -> bool:
        return b"worker.waiting_for_temporal" in log.read_bytes()

    async def works() -> bool:
        return ready.exists()

    async with AsyncExitStack() as running:
        with servers.refusing_port() as port:
            process = await running.enter_async_context(
                worker(tmp_path, database_url, port, metrics)
            )
            await eventually(waits, within=WAIT_SECONDS)
            assert not ready.exists()
        async with servers.dev_server(port) as environment:
            await eventually(works, within=WAIT_SECONDS)
            started = await TemporalJobs(
                environment.client, timeout=timedelta(seconds=WAIT_SECONDS)
            ).refresh_tokens()
            handle = environment.client.get_workflow_handle(started.workflow_id)
            result = await handle.result()
            with urllib.request.urlopen(metrics_url) as answer:  # noqa: ASYNC210 - our own server
                metrics = answer.read()
            await eventually(lambda: scheduled(environment.client), within=WAIT_SECONDS)
            process.send_signal(signal.SIGTERM)
            status = process.wait(timeout=20)

    assert result == {"examined": 0}
    assert b"slotkeeper_build_info" in metrics
    assert status == 0
    assert not ready.exists()
