"""Each contract runs twice: on the fake, and on our gateways against the sandbox."""

import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from adapters.calendly.http import open_http
from tests.contracts.calendly.fake_stage import FakeStage
from tests.contracts.calendly.sandbox_stage import Control, SandboxStage, build
from tests.contracts.calendly.stage import Stage

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="session")
def sandbox_url() -> Iterator[str]:
    """The address of a sandbox in its own process, on a free port."""
    command = [sys.executable, "-m", "sandbox", "--port", "0"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        ready = process.stdout.readline()
        try:
            yield next(word for word in ready.split() if word.startswith("http://"))
        finally:
            process.terminate()
            process.wait(10)


@pytest.fixture
async def sandbox(sandbox_url: str) -> AsyncIterator[SandboxStage]:
    """Our gateways against the sandbox, with one user."""
    async with (
        open_http(read_timeout=5) as client,
        httpx.AsyncClient(base_url=sandbox_url, trust_env=False, verify=False) as http,  # noqa: S501
    ):
        yield await build(sandbox_url, client, Control(http))


@pytest.fixture(params=["fake", "sandbox"])
def stage(request: pytest.FixtureRequest) -> Stage:
    """A Calendly with one user."""
    if request.param == "fake":
        return FakeStage()
    built: SandboxStage = request.getfixturevalue("sandbox")
    return built
