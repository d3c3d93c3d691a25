"""The fast path for deliveries and the routes behind it, which answer the same."""

import asyncio
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.web.app import build_app
from adapters.web.middleware.webhook_fast_path import MAX_LARGE, WEBHOOKS_PATH
from domain.errors import StorageUnavailable
from tests.adapters.web.controllers.test_webhooks import BODY, signed
from tests.adapters.web.fakes import StandInServices
from tests.adapters.web.serving import Client, settings_with

OWN = ("x-request-id", "content-length")
SETTINGS = settings_with()
APP = build_app(SETTINGS, cast(Any, None))


async def answered(client: Client, path: str, body: bytes, headers: dict[str, str]) -> Any:
    """Return the parts of an answer that two requests should share."""
    answer = await client.post(path, content=body, headers=headers)
    problem = answer.json() if answer.content else {}
    problem.pop("instance", None)
    kept = {name: value for name, value in answer.headers.items() if name not in OWN}
    return answer.status_code, kept, problem


@pytest.mark.parametrize("key", ["", "/known", "/unknown"])
@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (BODY, signed(BODY)),
        (BODY, {}),
        (BODY, signed(BODY, late=600)),
        (b"{x", signed(b"{x")),
        (b" " * (1024 * 1024 + 1), {}),
    ],
    ids=["good", "unsigned", "stale", "no JSON", "too large"],
)
async def test_every_spelling_of_an_address_answers_alike(
    client: Client, services: StandInServices, key: str, body: bytes, headers: dict[str, str]
) -> None:
    """A slash at the end of the address, which leads past the fast path, changes no answer."""
    path = WEBHOOKS_PATH + key

    assert await answered(client, path, body, headers) == await answered(
        client, f"{path}/", body, headers
    )
    assert len(set(services.telemetry.received)) <= 1


async def test_other_methods_are_refused(client: Client) -> None:
    """Only POST is allowed at a webhook address, and a refusal names it."""
    answer = await client.get(WEBHOOKS_PATH)

    assert (answer.status_code, "POST" in answer.headers["allow"]) == (405, True)


async def test_an_outage_says_when_to_come_back(client: Client, services: StandInServices) -> None:
    """A delivery that finds the queue full is 503 with the time after which to try again."""
    services.fail_next("ingest_webhook", StorageUnavailable("Full.", retry_after=1.0))

    answer = await client.post(WEBHOOKS_PATH, content=BODY, headers=signed(BODY))

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")


async def test_a_bug_answers_without_its_words(client: Client, services: StandInServices) -> None:
    """An unexpected error is a 500 that reveals nothing of it."""
    services.fail_next("ingest_webhook", RuntimeError("s3cret"))

    answer = await client.post(WEBHOOKS_PATH, content=BODY, headers=signed(BODY))

    assert answer.status_code == 500
    assert "s3cret" not in answer.text


async def posted(
    services: StandInServices,
    headers: list[tuple[bytes, bytes]],
    messages: list[Any],
    key: str = "",
    then: asyncio.Event | None = None,
) -> list[Any]:
    """Return what the application sends for a POST that arrives in these messages.

    With `then` the sender is silent after them, and leaves once that happens.
    """
    sent, arriving = [], iter(messages)
    APP.state.services = services

    async def receive() -> Any:
        message = next(arriving, None)
        if message is None and then is not None:
            await then.wait()
            return {"type": "http.disconnect"}
        return message

    async def send(message: Any) -> None:
        sent.append(message)

    scope: Any = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "https",
        "path": WEBHOOKS_PATH + key,
        "raw_path": WEBHOOKS_PATH.encode(),
        "root_path": "",
        "query_string": b"",
        "headers": headers,
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 443),
    }
    await APP(scope, receive, send)
    return sent


def request(body: bytes, *, more: bool = False) -> dict[str, Any]:
    """Return a part of a body as a server hands it on (ASGI)."""
    return {"type": "http.request", "body": body, "more_body": more}


def raw(headers: dict[str, str]) -> list[tuple[bytes, bytes]]:
    """Return headers as a server hands them on (ASGI)."""
    return [(name.lower().encode(), value.encode()) for name, value in headers.items()]


async def test_a_body_in_parts_is_put_together() -> None:
    """A body that arrives in several parts is stored as one, byte for byte."""
    services = StandInServices(SETTINGS)
    parts = [request(BODY[:9], more=True), request(BODY[9:], more=True), request(b"")]

    sent = await posted(services, raw(signed(BODY)), parts)

    assert sent[0]["status"] == 204
    assert services.ingest_webhook.stored == [BODY]


async def test_many_large_bodies_at_once_are_bounded() -> None:
    """Large bodies that are under way take so much memory and no more; small ones are read."""
    services, bodies = StandInServices(SETTINGS), MAX_LARGE // 2**20
    leave = asyncio.Event()

    async def large() -> list[Any]:
        part = request(b" " * 2**20, more=True)
        return await posted(services, raw(signed(BODY)), [part], then=leave)

    held = [asyncio.create_task(large()) for _ in range(bodies)]
    await asyncio.sleep(0)
    refused = await large()
    small = await posted(services, raw(signed(BODY)), [request(BODY)])
    leave.set()
    await asyncio.gather(*held)
    parts = [request(b" " * 2**20, more=True), request(b"")]
    later = await posted(services, raw(signed(BODY)), parts)

    assert [sent[0]["status"] for sent in (refused, small, later)] == [503, 204, 401]
    assert (b"retry-after", b"1") in refused[0]["headers"]


async def test_a_sender_that_leaves_is_not_answered() -> None:
    """A connection that ends within the body stores nothing and is sent nothing."""
    services = StandInServices(SETTINGS)
    parts = [request(BODY[:9], more=True), {"type": "http.disconnect"}]

    assert await posted(services, raw(signed(BODY)), parts) == []
    assert services.ingest_webhook.stored == []


async def test_a_signature_that_comes_twice_is_refused() -> None:
    """Two signature headers are never taken for one, be either of them genuine."""
    services = StandInServices(SETTINGS)
    genuine = raw(signed(BODY))

    sent = await posted(services, [*genuine, *genuine], [request(BODY)])

    assert sent[0]["status"] == 400
    assert services.ingest_webhook.stored == []


headers_strategy = st.lists(
    st.tuples(
        st.sampled_from([b"calendly-webhook-signature", b"content-length", b"content-type"])
        | st.binary(max_size=20),
        st.binary(max_size=80),
    ),
    max_size=5,
)


@given(headers_strategy, st.binary(max_size=100), st.text(max_size=20))
def test_nothing_that_arrives_is_an_error_of_ours(
    headers: list[tuple[bytes, bytes]], body: bytes, key: str
) -> None:
    """The answer to any unsigned delivery is never a 5xx, and nothing is stored."""
    services = StandInServices(SETTINGS)

    sent = asyncio.run(posted(services, headers, [request(body)], f"/{key}"))

    assert sent[0]["status"] < 500
    assert services.ingest_webhook.stored == []
