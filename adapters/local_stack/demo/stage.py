"""A stack for the steps of the journey, and what they share: clients and what they know so far."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import httpx

from adapters.local_stack.configuration.addresses import StackAddresses
from adapters.local_stack.configuration.config import FREE_PORTS, StackConfig
from adapters.local_stack.stack import LocalStack

T = TypeVar("T")

HOST = "ada@example.com"

_POLL_SECONDS = 0.2
# For what follows without another request.
_TIMEOUT_SECONDS = 45.0
# Longer than a token lives, so that the new token is already due for the refresh job.
_SETTINGS = {"REFRESH_HORIZON": "3h"}


class StepFailed(Exception):
    """A step found something else than it expects; the message says what."""


class Stage:
    """A running stack and its clients.

    `api` is the team's back end, `browser` the user's browser, `sandbox` the control API of the
    sandbox Calendly. `known` holds what later steps need.
    """

    def __init__(self, addresses: StackAddresses) -> None:
        self.addresses = addresses
        self.api = httpx.Client(
            base_url=addresses.web_url,
            headers={
                "Authorization": f"Bearer {addresses.api_key}",
                "X-User-Id": addresses.demo_user,
            },
            timeout=40,
            trust_env=False,
        )
        self.browser = httpx.Client(timeout=30, follow_redirects=True, trust_env=False)
        self.sandbox = httpx.Client(
            base_url=f"{addresses.sandbox_url}/_control", timeout=30, trust_env=False
        )
        self.known: dict[str, Any] = {}

    def close(self) -> None:
        for client in (self.api, self.browser, self.sandbox):
            client.close()

    def get(self, path: str, **params: str) -> Any:
        """Return the JSON of a 2xx answer of our API."""
        return good(self.api.get(path, params=params)).json()

    def control(self, method: str, path: str, /, **body: Any) -> Any:
        """Return the JSON of a 2xx answer of the sandbox's control API."""
        sent = body if method in {"POST", "PATCH"} else None
        return good(self.sandbox.request(method, path, json=sent)).json()


@contextmanager
def open_stage(home: Path, *, durable: bool = True) -> Iterator[Stage]:
    """Start a stack on free ports; it is stopped at the end. Raises `LocalStackError`."""
    stack = LocalStack(
        StackConfig(home=home, ports=FREE_PORTS, durable=durable, settings=_SETTINGS)
    )
    stage = Stage(stack.start())
    try:
        yield stage
    finally:
        stage.close()
        stack.stop()


def expect(condition: object, complaint: str) -> None:
    """Raise `StepFailed` with the complaint unless the condition holds."""
    if not condition:
        raise StepFailed(complaint)


def good(response: httpx.Response) -> httpx.Response:
    """Return a 2xx answer, or raise `StepFailed` with the answer."""
    expect(
        response.is_success,
        f"{response.request.method} {response.url.path} answered {response.status_code}: "
        f"{response.text[:300]}",
    )
    return response


def eventually(look: Callable[[], T | None], what: str) -> T:
    """Return the result of *look* once there is one, or raise `StepFailed` after 45 seconds."""
    deadline = time.monotonic() + _TIMEOUT_SECONDS
    while time.monotonic() < deadline:
        found = look()
        if found:
            return found
        time.sleep(_POLL_SECONDS)
    raise StepFailed(f"waited {_TIMEOUT_SECONDS:.0f} seconds for {what}")
