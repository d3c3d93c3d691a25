import hmac
from datetime import timedelta
from typing import Any

import pytest

from domain.errors import StorageUnavailable
from tests.adapters.web import scenario
from tests.adapters.web.fakes import StandInServices
from tests.adapters.web.serving import Client, problem_in

WEBHOOKS = "/api/calendly/webhooks"
BODY = b'{ "event": "invitee.created",  "payload": {"email": "grace@example.com"} }'


def signed(body: bytes, key: str = "signing-k3y-current", *, late: int = 0) -> dict[str, str]:
    """The headers of a delivery, signed so many seconds before now."""
    seconds = int((scenario.NOW - timedelta(seconds=late)).timestamp())
    digest = hmac.digest(key.encode(), f"{seconds}.".encode() + body, "sha256").hex()
    return {
        "Calendly-Webhook-Signature": f"t={seconds},v1={digest}",
        "Content-Type": "application/json",
    }


@pytest.mark.parametrize("path", [WEBHOOKS, f"{WEBHOOKS}/known"])
async def test_a_signed_delivery_is_stored(
    client: Client, services: StandInServices, path: str
) -> None:
    """A delivery is verified over its raw bytes, stored as it came, and answered 204."""
    answer = await client.post(path, content=BODY, headers=signed(BODY))

    assert (answer.status_code, answer.content) == (204, b"")
    assert services.ingest_webhook.stored == [BODY]


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({}, "missing"),
        ({"Calendly-Webhook-Signature": "nonsense"}, "malformed"),
        (signed(BODY, late=600), "stale"),
        (signed(BODY, late=-600), "stale"),
        (signed(BODY, "another-key"), "mismatch"),
        (signed(BODY + b" "), "mismatch"),
    ],
)
async def test_a_bad_signature_is_refused(
    client: Client, services: StandInServices, headers: dict[str, str], reason: str
) -> None:
    """An unsigned, stale or wrongly signed delivery is 401, counted by reason, not stored."""
    answer = await client.post(WEBHOOKS, content=BODY, headers=headers)

    problem_in(answer, 401, "signature_rejected")
    assert "www-authenticate" in answer.headers
    assert services.telemetry.received == [reason]
    assert services.ingest_webhook.stored == []


async def test_an_oversized_delivery_is_refused(client: Client, services: StandInServices) -> None:
    """A body over the limit is 413, counted and not stored, even with a valid signature."""
    body = b" " * (1024 * 1024 + 1)

    answer = await client.post(WEBHOOKS, content=body, headers=signed(body))

    problem_in(answer, 413, "payload_too_large")
    assert services.telemetry.received == ["too_large"]
    assert services.ingest_webhook.stored == []


async def test_an_oversized_stream_is_refused(client: Client, services: StandInServices) -> None:
    """A body that does not state its length is still cut off at the limit."""
    chunks = 0
    sent: list[Any] = []

    async def receive() -> Any:
        nonlocal chunks
        chunks += 1
        return {"type": "http.request", "body": b" " * 65536, "more_body": True}

    async def send(message: Any) -> None:
        sent.append(message)

    scope: Any = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "https",
        "path": WEBHOOKS,
        "raw_path": WEBHOOKS.encode(),
        "root_path": "",
        "query_string": b"",
        "headers": [
            (b"calendly-webhook-signature", b"t=1,v1=00"),
            (b"host", b"slots.example.com"),
            (b"transfer-encoding", b"chunked"),
        ],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 443),
    }
    await client.app(scope, receive, send)

    assert sent[0]["status"] == 413
    assert chunks == 17
    assert services.telemetry.received == ["too_large"]
    assert services.ingest_webhook.stored == []


async def test_a_body_as_large_as_allowed_is_taken(
    client: Client, services: StandInServices
) -> None:
    """The limit itself is still allowed."""
    body = b'"' + b"x" * (1024 * 1024 - 2) + b'"'

    answer = await client.post(WEBHOOKS, content=body, headers=signed(body))

    assert answer.status_code == 204
    assert services.ingest_webhook.stored == [body]


async def test_a_signed_body_that_is_not_json_is_refused(client: Client) -> None:
    """Malformed JSON under a good signature is 400, and is not repeated."""
    body = b"{s3cret"

    answer = await client.post(WEBHOOKS, content=body, headers=signed(body))

    problem_in(answer, 400, "webhook_malformed")
    assert "s3cret" not in answer.text


async def test_an_unknown_subscription_is_not_found(client: Client) -> None:
    """A delivery to an unknown subscription is 404."""
    answer = await client.post(f"{WEBHOOKS}/unknown", content=BODY, headers=signed(BODY))

    problem_in(answer, 404, "subscription_not_found")


async def test_without_storage_calendly_gets_a_retryable_answer(
    client: Client, services: StandInServices
) -> None:
    """While the database is down a delivery is 503, so that Calendly delivers it again."""
    services.fail_next("ingest_webhook", StorageUnavailable("PostgreSQL cannot be reached."))

    answer = await client.post(WEBHOOKS, content=BODY, headers=signed(BODY))

    problem_in(answer, 503, "storage_unavailable")


async def test_nothing_is_read_of_an_unsigned_stream(client: Client) -> None:
    """An unsigned delivery is refused before a byte of the body is read."""
    reads: list[int] = []
    sent: list[Any] = []

    async def receive() -> Any:
        reads.append(1)
        return {"type": "http.request", "body": b" ", "more_body": True}

    async def send(message: Any) -> None:
        sent.append(message)

    scope: Any = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "https",
        "path": WEBHOOKS,
        "raw_path": WEBHOOKS.encode(),
        "root_path": "",
        "query_string": b"",
        "headers": [(b"host", b"slots.example.com"), (b"transfer-encoding", b"chunked")],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 443),
    }
    await client.app(scope, receive, send)

    assert (sent[0]["status"], reads) == (401, [])
