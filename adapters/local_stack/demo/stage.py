"""What the steps of the journey share: three HTTP clients, and what they learnt so far."""

import time
from collections.abc import Callable
from typing import Any, TypeVar

import httpx

from adapters.local_stack.configuration.addresses import StackAddresses

T = TypeVar("T")

POLL = 0.2  # seconds
PATIENCE = 45.0  # seconds, for what arrives by itself
HOST = "ada@example.com"


class StepFailed(Exception):
    """A step did not see what it says."""


class Stage:
    """The running stack as the journey sees it.

    `api` is the team's back end, `browser` the user's browser, `sandbox` the control surface of
    the sandbox Calendly.
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
        """Close the clients."""
        for client in (self.api, self.browser, self.sandbox):
            client.close()

    def get(self, path: str, **params: str) -> Any:
        """Return the JSON of a good answer of our API."""
        return good(self.api.get(path, params=params)).json()

    def control(self, method: str, path: str, /, **body: Any) -> Any:
        """Return the JSON of a good answer of the sandbox's control surface."""
        sent = body if method in {"POST", "PATCH"} else None
        return good(self.sandbox.request(method, path, json=sent)).json()


def expect(condition: object, complaint: str) -> None:
    """Raise StepFailed with the complaint unless the condition holds."""
    if not condition:
        raise StepFailed(complaint)


def good(response: httpx.Response) -> httpx.Response:
    """Return a 2xx answer, or raise StepFailed with what came instead."""
    expect(
        response.is_success,
        f"{response.request.method} {response.url.path} answered {response.status_code}: "
        f"{response.text[:300]}",
    )
    return response


def eventually(look: Callable[[], T | None], what: str) -> T:
    """Return what the look finds, once it finds something; raise StepFailed when it never does."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        found = look()
        if found:
            return found
        time.sleep(POLL)
    raise StepFailed(f"waited {PATIENCE:.0f} seconds in vain for {what}")
