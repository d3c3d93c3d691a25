"""The whole service in this process: the real store, and the sandbox in the place of Calendly."""

import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import httpx

from adapters.bootstrap import open_resources
from adapters.calendly.http import open_http
from adapters.calendly.transport import CalendlyTransport
from adapters.settings import Settings, load_settings
from adapters.web.app import build_app
from adapters.web.auth.rate_limits import RateLimits
from adapters.web.caching.response_cache import ResponseCache
from adapters.wiring.resources import Resources
from adapters.wiring.services import Services
from adapters.wiring.wire import wire
from domain.secret import Secret
from tests.adapters.sound_environ import SOUND
from tests.faults.accounts import connect
from tests.faults.calendly import Calendly, open_calendly
from tests.faults.rig import Rig

_ROOT = Path(__file__).parents[3]


@dataclass
class Edge:
    """One process of the service.

    Args:
        calls: what it asked Calendly, method and path.

    """

    client: httpx.AsyncClient
    resources: Resources
    services: Services
    calendly: Calendly
    key: str
    calls: list[str] = field(default_factory=list)

    async def get(self, path: str, user: str = "person-0", **params: Any) -> httpx.Response:
        """Read for a user."""
        return await self.client.get(f"/api/calendly/{path}", headers=self.caller(user), **params)

    def caller(self, user: str) -> dict[str, str]:
        """Return the headers of a call for a user."""
        return {"Authorization": f"Bearer {self.key}", "X-User-Id": user}

    async def connect(self, count: int) -> None:
        """Connect so many users, `person-0` and so on, to accounts of the sandbox."""
        client = {"CALENDLY_CLIENT_ID": self.resources.settings.calendly_client_id}
        rig = _RigOf(self.calendly, self.resources.storage, self.resources.vault, client)
        await connect(cast(Rig, rig), count, expires_in=timedelta(hours=2))


class _Counted(httpx.AsyncBaseTransport):
    """Notes each request before it is sent."""

    def __init__(self, carrier: httpx.AsyncBaseTransport, calls: list[str]) -> None:
        self._carrier = carrier
        self._calls = calls

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request."""
        self._calls.append(f"{request.method} {request.url.path}")
        return await self._carrier.handle_async_request(request)

    async def aclose(self) -> None:
        """Close what sends."""
        await self._carrier.aclose()


@dataclass
class _RigOf:
    """As much of a scenario's rig as connecting needs."""

    calendly: Calendly
    storage: Any
    vault: Any
    environ: dict[str, str]


def _opened_already(_settings: Settings) -> Any:
    raise AssertionError


@contextmanager
def running_sandbox(users: int) -> Iterator[str]:
    """Yield the address of a sandbox in its own process, on a free port."""
    command = [sys.executable, "-m", "sandbox", "--port", "0", "--users", str(users)]
    with subprocess.Popen(command, cwd=_ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        ready = process.stdout.readline()
        try:
            yield next(word for word in ready.split() if word.startswith("http://"))
        finally:
            process.terminate()
            process.wait(10)


@asynccontextmanager
async def open_edge(database_url: Secret, sandbox_url: str) -> AsyncIterator[Edge]:
    """Start the service over an empty, migrated database, with a key of its own."""
    settings = load_settings(
        {
            **SOUND,
            "DATABASE_URL": database_url.reveal(),
            "CALENDLY_CLIENT_ID": "sandbox-client",
            "CALENDLY_CLIENT_SECRET": "sandbox-secret",
            "CALENDLY_AUTH_URL": sandbox_url,
            "CALENDLY_API_URL": sandbox_url,
            "TEMPORAL_ADDRESS": "127.0.0.1:9",
        }
    )
    calls: list[str] = []
    http = open_http(transport=_Counted(CalendlyTransport(limits=httpx.Limits()), calls))
    async with AsyncExitStack() as stack:
        made = await stack.enter_async_context(open_resources(settings, http=http))
        services = wire(made)
        app = build_app(settings, _opened_already)
        # By hand: Litestar's lifespan has to be left by the task that entered it, and a fixture
        # of pytest is not.
        app.state.services, app.state.response_cache = services, ResponseCache()
        app.state.rate_limits = RateLimits(settings)
        carrier = httpx.ASGITransport(cast(Any, app), raise_app_exceptions=False)
        client = await stack.enter_async_context(
            httpx.AsyncClient(transport=carrier, base_url=settings.public_url)
        )
        calendly = await stack.enter_async_context(open_calendly(sandbox_url))
        _, key = await services.manage_api_keys.create("back end")
        yield Edge(client, made, services, calendly, key.reveal(), calls)
