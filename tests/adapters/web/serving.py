"""An application over fakes, and a client that calls it in this process."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import cache
from typing import Any, cast

from litestar import Litestar
from litestar.testing import AsyncTestClient

from adapters.settings import Settings, load_settings
from adapters.web.app import build_app
from adapters.wiring.services import Services
from tests.adapters.sound_environ import SOUND
from tests.adapters.web.fakes import StandInServices
from tests.adapters.web.scenario import API_KEY

Client = AsyncTestClient[Litestar]
CALLER = {"Authorization": f"Bearer {API_KEY}", "X-User-Id": "ada"}


class _Stage:
    """One application, which each test serves over services of its own.

    Building an application takes much longer than a test.
    """

    def __init__(self, settings: Settings) -> None:
        self.services: StandInServices | None = None
        self.app = build_app(settings, self._opened)

    @asynccontextmanager
    async def _opened(self, _settings: Settings) -> AsyncIterator[Services]:
        yield cast(Services, self.services)


# By the identity of settings that are never dropped: `settings_with` keeps them.
_stages: dict[int, _Stage] = {}


@cache
def settings_with(**changes: str) -> Settings:
    """Return sound settings with these changes; the same changes give the same object."""
    return load_settings({**SOUND, **changes})


@asynccontextmanager
async def serving(services: StandInServices) -> AsyncIterator[Client]:
    """Serve over these services."""
    settings = services.settings
    if id(settings) not in _stages:
        _stages[id(settings)] = _Stage(settings)
    stage = _stages[id(settings)]
    stage.services = services
    async with AsyncTestClient(
        stage.app, base_url=settings.public_url, raise_server_exceptions=False
    ) as client:
        yield client


def problem_in(answer: Any, status: int, code: str) -> Mapping[str, Any]:
    """Return the problem details of an answer, checked for their shape (RFC 9457)."""
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    problem: Mapping[str, Any] = answer.json()
    assert problem["status"] == status
    assert problem["code"] == code
    assert problem["type"] == f"urn:slotkeeper:problem:{code}"
    assert problem["instance"].endswith(answer.headers["x-request-id"])
    assert {"title", "detail", "kind"} <= set(problem)
    return problem
