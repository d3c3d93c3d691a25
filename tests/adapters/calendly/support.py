"""Calendly on the other side of `httpx.MockTransport`, and a clock that does not move."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from urllib.parse import parse_qsl

import httpx
import msgspec
from hypothesis import HealthCheck, settings

from adapters.calendly.api import CalendlyApi
from adapters.calendly.http import open_http
from adapters.calendly.oauth import CalendlyOAuthGateway
from adapters.calendly.rate_budget import RateBudget
from application.ports.calendly.availability import Answer as Listed
from application.ports.calendly.availability import Fetched
from domain.secret import Secret
from domain.token import Access
from tests.fakes.calendly.bodies import USER

API_URL = "https://api.test"
AUTH_URL = "https://auth.test"
NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
ACCESS = Access(token=Secret("access-1"), user_uri=USER)

# A loaded machine is not a fault of the product: properties are judged by result, not by speed.
UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

Answer = httpx.Response | httpx.HTTPError
V = TypeVar("V")


class StillClock:
    """Does not move until it is moved."""

    def __init__(self, now: datetime = NOW) -> None:
        self._now = now

    def now(self) -> datetime:
        """Return the current time (UTC)."""
        return self._now

    def move(self, seconds: float) -> None:
        """Go forward, or back."""
        self._now += timedelta(seconds=seconds)


class Wire:
    """Answers requests in the order given, or by a function; keeps every request."""

    def __init__(
        self, *answers: Answer, by: Callable[[httpx.Request], Answer] | None = None
    ) -> None:
        self.requests: list[httpx.Request] = []
        self._answers = list(answers)
        self._by = by
        self.clock = StillClock()
        self.budget = RateBudget(self.clock)
        self.client = open_http(transport=httpx.MockTransport(self._answer))

    @property
    def api(self) -> CalendlyApi:
        """The API over this wire."""
        return CalendlyApi(self.client, api_url=API_URL, budget=self.budget)

    @property
    def oauth(self) -> CalendlyOAuthGateway:
        """The OAuth host over this wire."""
        return CalendlyOAuthGateway(
            self.client,
            auth_url=AUTH_URL,
            client_id="client-1",
            client_secret=Secret("client-secret-1"),
            clock=self.clock,
            budget=self.budget,
        )

    @property
    def request(self) -> httpx.Request:
        """The only request."""
        (only,) = self.requests
        return only

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self._by(request) if self._by else self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def answer(status: int, body: Any = None, **headers: str) -> httpx.Response:
    """Return an answer; header names are written with underscores."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    if body is None or isinstance(body, bytes):
        return httpx.Response(status, content=body, headers=named)
    named["content-type"] = "application/json"
    return httpx.Response(status, content=msgspec.json.encode(body), headers=named)


def refusal(status: int, title: str, message: str = "No.", **more: Any) -> httpx.Response:
    """Return an API refusal."""
    return answer(status, {"title": title, "message": message, **more})


def resource(body: dict[str, Any], status: int = 200) -> httpx.Response:
    """Return an answer that carries one resource."""
    return answer(status, {"resource": body})


def query(request: httpx.Request) -> dict[str, str]:
    """Return a request's query."""
    return dict(request.url.params)


def form(request: httpx.Request) -> dict[str, str]:
    """Return a request's form body."""
    return dict(parse_qsl(request.content.decode()))


def values_of(listed: Listed[V]) -> tuple[V, ...]:
    """Return a list that was asked for whole."""
    assert isinstance(listed, Fetched)
    return listed.values


def sent_json(request: httpx.Request) -> Any:
    """Return a request's JSON body."""
    return msgspec.json.decode(request.content)
