"""Calendly signs deliveries with the app's key or the subscription's, and does not say which."""

import asyncio
import hmac
import socket
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
import uvicorn

from adapters.settings import Settings
from adapters.web.app import build_app
from adapters.wiring.services import Services
from application.ports.storage.bookings import BookingQuery
from domain.integration import Integration
from domain.secret import Secret
from tests.faults.moved.accounts import Accounts
from tests.faults.moved.stage import Stage, staged

HOST = "user-00001@sandbox.example"
WAIT_SECONDS = 20


@asynccontextmanager
async def serving(stage: Stage, listening: socket.socket) -> AsyncIterator[None]:
    """Serve the application on a socket."""

    @asynccontextmanager
    async def services(_: Settings) -> AsyncIterator[Services]:
        yield stage.worker

    app = build_app(stage.made.settings, services)
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="on", ws="none"))
    served = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        yield
    finally:
        server.should_exit = True
        await served


class Subscribed:
    """An account whose subscription delivers to a running server of ours."""

    def __init__(self, stage: Stage, integration: Integration, url: str) -> None:
        self.stage = stage
        self.integration = integration
        self.url = url

    async def book(self) -> dict[str, Any]:
        """Let an invitee book, and return the delivery once it was tried."""
        await self.stage.calendly.control("POST", "/invitees", event_type=await self._type())
        async with asyncio.timeout(WAIT_SECONDS):
            while True:
                listed = await self.stage.calendly.control("GET", "/deliveries")
                tried = [each for each in listed["deliveries"] if each["attempts"]]
                if tried:
                    latest: dict[str, Any] = tried[0]
                    return latest
                await asyncio.sleep(0.05)

    async def _type(self) -> str:
        user = await self.stage.calendly.control("GET", f"/users/{HOST}")
        return str(user["event_types"][0]["uuid"])

    async def bookings(self) -> int:
        """Return how many bookings there are."""
        query = BookingQuery(limit=10)
        page = await self.stage.worker.list_bookings(self.integration.user_id, query)
        return len(page.items)


@pytest.fixture
async def ada(database_url: Secret) -> AsyncIterator[Subscribed]:
    """An account with a subscription."""
    listening = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    async with staged(1, database_url, public_url=url) as stage, serving(stage, listening):
        accounts = Accounts(stage)
        await accounts.connect(1)
        (integration,) = await accounts.all()
        await stage.worker.ensure_subscription(integration.id)
        yield Subscribed(stage, integration, url)


@pytest.mark.parametrize("key", ["app", "subscription"])
async def test_whichever_key_signs_the_delivery_is_taken_in(ada: Subscribed, key: str) -> None:
    """A booking arrives whether Calendly signs with the app's key or the subscription's own."""
    await ada.stage.calendly.control("PATCH", "/switches", hook_signing_key=key)

    delivery = await ada.book()

    assert [each["status"] for each in delivery["attempts"]] == [204]
    assert await ada.bookings() == 1


async def test_no_other_key_is_taken(ada: Subscribed) -> None:
    """A delivery to one subscription's address under another one's key is refused."""
    await ada.stage.calendly.control("PATCH", "/switches", hook_signing_key="subscription")
    await ada.book()
    secrets = await ada.stage.calendly.control("GET", "/secrets")
    (own,) = (key for key in secrets["signing_keys"] if key != "sandbox-signing-key")
    at = int(ada.stage.clock.now().timestamp())
    digest = hmac.digest(own.encode(), f"{at}.{{}}".encode(), "sha256").hex()

    async with httpx.AsyncClient(base_url=ada.url, trust_env=False) as http:
        answers = Counter([
            (
                await http.post(
                    f"/api/calendly/webhooks{address}",
                    content=b"{}",
                    headers={"Calendly-Webhook-Signature": f"t={at},v1={digest}"},
                )
            ).status_code
            for address in ("", f"/{ada.integration.id.hex}-another")
        ])  # fmt: skip

    assert answers == {401: 2}
