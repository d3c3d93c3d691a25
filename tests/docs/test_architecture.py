"""The page on architecture: its files and constants exist, and its statements are those sent."""

import re
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import urlsplit
from uuid import UUID

import httpx
import pytest

from domain.ids import IntegrationId
from domain.secret import Secret
from domain.subscription import new_key
from tests.adapters.sound_environ import SOUND
from tests.adapters.web.real_edge import Edge, open_edge, running_sandbox
from tests.application.support.delivering import signed
from tests.docs.pages import ARCHITECTURE
from tests.docs.statements import CONTROL, constants, recorded
from tests.fakes.calendly import bodies

_SECTION = re.compile(r"^### (.+?)$(.*?)(?=^##|\Z)", re.MULTILINE | re.DOTALL)
_ROW = re.compile(
    r"^\| `((?:repositories|lookups)/[\w/]+\.py)` \| (?:`(\w+)`|(built)) \|", re.MULTILINE
)
_CALLBACK = f"{SOUND['PUBLIC_URL']}/api/calendly/callback"
CONNECT = "/api/calendly/connect"
_BREAKER = "SELECT calendly_circuit_breaker"
# A breaker's state is read again only where the process read it more than three seconds ago.
_NOT_LISTED = (*CONTROL, _BREAKER)


class Row(NamedTuple):
    """A row of the page: the file, and the constant or `built`."""

    file: str
    statement: str


def rows() -> dict[str, list[Row]]:
    """Return the rows of each path, by the path's heading."""
    sections = {
        title: [Row(file, name or built) for file, name, built in _ROW.findall(text)]
        for title, text in _SECTION.findall(ARCHITECTURE.text)
    }
    return {title: found for title, found in sections.items() if found}


def test_every_statement_of_the_page_exists() -> None:
    """Each constant of the tables is in its file."""
    known = {Row(each.file, each.name) for each in constants()}
    listed = {row for found in rows().values() for row in found if row.statement != "built"}

    assert len(listed) >= 20
    assert listed - known == set()


class Caller:
    """Calls the service as one user and keeps the statements of each call."""

    def __init__(self, edge: Edge) -> None:
        self._edge = edge
        self.sent: dict[str, list[str]] = {}

    async def call(self, title: str, method: str, path: str, **options: Any) -> Any:
        """Send a request and keep its statements under a heading of the page; return the body."""
        headers = {**self._edge.caller("ada"), **options.pop("headers", {})}
        if path.startswith("/api/calendly/callback"):
            headers = {}  # Calendly sends the browser, which has no key
        with recorded() as sent:
            answer = await self._edge.client.request(method, path, headers=headers, **options)
        assert answer.is_success, (title, answer.text)
        self.sent[title] = [each for each in sent if each not in _NOT_LISTED]
        return answer.json() if answer.content else None


@pytest.fixture
def sandbox_url(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a sandbox that accepts the service's redirect URI."""
    monkeypatch.setenv("SANDBOX_REDIRECT_URIS", _CALLBACK)
    with running_sandbox(0) as url:
        yield url


@pytest.fixture
async def edge(database_url: Secret, sandbox_url: str) -> AsyncIterator[Edge]:
    """The service over an empty database."""
    async with open_edge(database_url, sandbox_url) as edge:
        yield edge


async def test_the_statements_of_each_path_are_those_sent(edge: Edge, sandbox_url: str) -> None:
    """Each path sends, in this order, the statements that its table lists."""
    caller = Caller(edge)
    integration_id = await connect(caller, sandbox_url)
    await caller.call("Token refresh", "POST", "/api/calendly/integration/refresh")
    event_type, slot = await read(caller)
    await deliver(caller, integration_id)
    await book_and_cancel(caller, event_type, slot)

    listed = rows()
    assert set(listed) <= set(caller.sent)
    for title, found in listed.items():
        expected = [f"{row.file} {row.statement}" for row in found]
        assert _names(caller.sent[title], found) == expected, title


async def connect(caller: Caller, sandbox_url: str) -> IntegrationId:
    """Connect an account of the sandbox; return the integration's id."""
    begun = await caller.call("Connect, begin", "GET", CONNECT)
    consent = {"user": "ada@example.com", "authorize_url": begun["authorize_url"]}
    async with httpx.AsyncClient(trust_env=False) as browser:
        allowed = await browser.post(f"{sandbox_url}/_control/consent", json=consent)
    back = urlsplit(allowed.raise_for_status().json()["redirect_to"])
    held = await caller.call("Connect, callback", "GET", f"{back.path}?{back.query}")
    connected = await caller.call(
        "Connect, confirm", "POST", f"{CONNECT}/confirm", json={"handle": held["handle"]}
    )
    return IntegrationId(UUID(connected["integration_id"]))


async def read(caller: Caller) -> tuple[str, str]:
    """Read availability in each way; return an event type and a slot of it."""
    types = await caller.call("event types", "GET", "/api/calendly/event-types")
    event_type = next(each["uri"] for each in types["items"] if not each["questions"])
    start = datetime.now(UTC) + timedelta(hours=1)
    asked = {
        "event_type": event_type,
        "start": start.isoformat(),
        "end": (start + timedelta(days=7)).isoformat(),
    }
    path = "/api/calendly/availability"
    offered = await caller.call("Cached read, nothing cached", "GET", path, params=asked)
    in_zone = asked | {"timezone": "UTC"}
    await caller.call("Cached read, new question", "GET", path, params=in_zone)
    await caller.call("Cached read, same question again", "GET", path, params=in_zone)
    return event_type, offered["slots"][-1]["start"]


async def deliver(caller: Caller, integration_id: IntegrationId) -> None:
    """Deliver a webhook to the integration's own address."""
    body = bodies.webhook("invitee.created", bodies.payload())
    key = Secret(SOUND["CALENDLY_WEBHOOK_SIGNING_KEY"].partition(",")[0])
    await caller.call(
        "Webhook",
        "POST",
        f"/api/calendly/webhooks/{new_key(integration_id, 'token')}",
        content=body,
        headers={"Calendly-Webhook-Signature": signed(body, datetime.now(UTC), key)},
    )


async def book_and_cancel(caller: Caller, event_type: str, slot: str) -> None:
    """Book a slot and cancel the booking."""
    invitee = {"name": "Noor", "email": "noor@example.net", "timezone": "UTC"}
    booking = await caller.call(
        "book",
        "POST",
        "/api/calendly/bookings",
        headers={"Idempotency-Key": "book-1"},
        json={"event_type": event_type, "start": slot, "invitee": invitee},
    )
    await caller.call(
        "Cancel a booking",
        "POST",
        f"/api/calendly/bookings/{booking['id']}/cancel",
        headers={"Idempotency-Key": "cancel-1"},
    )


def _names(sent: list[str], listed: list[Row]) -> list[str]:
    """Return what was sent in the page's words: a statement that Piccolo builds is `built`."""
    built = {index: row for index, row in enumerate(listed) if row.statement == "built"}
    return [
        f"{built[index].file} built" if index in built and "/" not in each else each
        for index, each in enumerate(sent)
    ]
