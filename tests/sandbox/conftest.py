"""One sandbox for all these tests, in a thread of its own, reset before each."""

import asyncio
import ssl
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from sandbox.app import create_app
from sandbox.server import bind, make_server
from sandbox.settings import Settings
from sandbox.world import World
from tests.sandbox.client import Sandbox
from tests.sandbox.receiver import Receiver

_NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
PAPERS = Path(__file__).parents[3] / "shared" / "calendly"


@contextmanager
def running(settings: Settings) -> Iterator[str]:
    """A sandbox on a free port; yields its base URL."""
    ready = threading.Event()
    address: list[str] = []

    def announce(host: str, port: int) -> None:
        address.append(f"http://{host}:{port}")
        ready.set()

    server = make_server(create_app(World(settings)), announce)
    listener = bind("127.0.0.1", 0)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listener])))
    thread.start()
    try:
        assert ready.wait(10), "the sandbox did not start"
        yield address[0]
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()


@pytest.fixture(scope="session")
def base_url() -> Iterator[str]:
    """The address of the shared sandbox, whose deliveries time out early."""
    settings = Settings(delivery_connect_timeout=1.0, delivery_read_timeout=1.0)
    with running(settings) as url:
        yield url


@pytest.fixture
async def sandbox(base_url: str) -> AsyncIterator[Sandbox]:
    """The shared sandbox as after its start."""
    # A bare TLS context: reading the certificate store for each test takes longer than the test.
    transport = httpx.AsyncHTTPTransport(verify=_NO_TLS)
    async with httpx.AsyncClient(base_url=base_url, transport=transport, timeout=10) as http:
        found = Sandbox(http)
        await found.control("POST", "/reset")
        yield found


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """A webhook endpoint that answers 200."""
    async with Receiver() as endpoint:
        yield endpoint


@pytest.fixture(scope="session")
def papers() -> Path:
    """The folder of Calendly's own papers."""
    if not PAPERS.is_dir():
        pytest.skip("../shared/calendly is absent: nothing to hold the sandbox against")
    return PAPERS


@pytest.fixture(scope="session")
def openapi(papers: Path) -> dict[str, Any]:
    """Calendly's OpenAPI of 2022."""
    text = (papers / "calendly-openapi-2022-12.yaml").read_text()
    found: dict[str, Any] = yaml.load(text, Loader=yaml.CSafeLoader)
    return found
