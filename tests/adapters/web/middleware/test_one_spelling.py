from typing import Any, cast

import pytest
from prometheus_client import CollectorRegistry

from adapters.web.http.refusals import REGISTRY
from adapters.web.middleware.one_spelling import OneSpelling, is_canonical, repeated_header
from tests.adapters.web.serving import Client, problem_in

OTHER_SPELLINGS = [
    b"//metrics",
    b"/metrics/",
    b"/metrics//",
    b"/./metrics",
    b"/x/../metrics",
    b"/metrics/.",
    b"/metrics/..",
    b"/%6detrics",
    b"/%6Detrics",
    b"/metrics%2F",
    b"/metrics%2f",
    b"/api%2Fcalendly/webhook-events",
    b"/api%5Ccalendly/webhook-events",
    b"/api\\calendly/webhook-events",
    b"/metrics;x=1",
    b"/metrics%3Bx",
    b"/metrics%00",
    b"/metrics\x00",
    b"/metrics%0A",
    b"/metrics\n",
    b"/metr\xc3\xadcs",
    b"/metr%C3%ADcs",
    b"/%2e/metrics",
    b"/%2E%2E/metrics",
    b"/metrics%25",
    b"/metrics%",
    b"/metrics%7c",
    b"/metrics ",
    b"metrics",
    b"*",
    b"",
    b"/api/calendly/webhooks//",
]


def refused(reason: str, registry: CollectorRegistry = REGISTRY) -> float:
    name = "slotkeeper_requests_refused_total"
    return registry.get_sample_value(name, {"reason": reason}) or 0.0


@pytest.mark.parametrize("path", OTHER_SPELLINGS)
def test_any_other_spelling_is_not_canonical(path: bytes) -> None:
    """A proxy's rule for an address cannot be avoided by another spelling of it."""
    assert not is_canonical(path)


@pytest.mark.parametrize(
    "path",
    [
        b"/",
        b"/metrics",
        b"/.well-known/x",
        b"/api/calendly/bookings/0b0e7b7a-6f0e-4f0e-8a55-000000000000",
        b"/api/users/ada@example.com",
        b"/a%20b",
        b"/a%7Cb",
        b"/a...b/...",
        b"/api/calendly/webhooks",
        b"/api/calendly/webhooks/",
        b"/api/calendly/webhooks/key/",
    ],
)
def test_the_one_spelling_is_canonical(path: bytes) -> None:
    """An address passes in its one spelling, and a webhook address with a slash at its end."""
    assert is_canonical(path)


@pytest.mark.parametrize("path", ["//metrics", "/metrics/", "/%6Detrics", "/metrics%2F"])
async def test_another_spelling_is_404_before_routing(client: Client, path: str) -> None:
    """The refusal is counted, has a request id and shows nothing of the route."""
    before = refused("not_canonical")

    answer = await client.get(f"https://slots.example.com{path}")

    problem_in(answer, 404, "not_found")
    assert refused("not_canonical") == before + 1


@pytest.mark.parametrize("name", ["authorization", "x-user-id", "idempotency-key", "host"])
async def test_a_header_that_decides_comes_once(name: str) -> None:
    """Two values of one such header are 400 that names it, and reach no application."""
    before, sent = refused("header_repeated"), []
    header = (name.encode(), b"x")
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/metrics",
        "raw_path": b"/metrics",
        "headers": [header, header],
        "state": {},
    }

    async def reached(_scope: Any, _receive: Any, _send: Any) -> None:
        pytest.fail("the application was called")

    async def send(message: Any) -> None:
        sent.append(message)

    await OneSpelling(cast(Any, reached), https=False)(cast(Any, scope), cast(Any, None), send)

    assert (sent[0]["status"], name.encode() in sent[1]["body"]) == (400, True)
    assert refused("header_repeated") == before + 1


@pytest.mark.parametrize("name", [b"content-length", b"calendly-webhook-signature"])
def test_a_repeated_length_or_signature_is_named(name: bytes) -> None:
    """The length and the signature of a body come once as well; other headers may repeat."""
    assert repeated_header([(name, b"1"), (b"accept", b"a"), (name, b"1")]) == name.decode()
    assert repeated_header([(name, b"1"), (b"accept", b"a"), (b"accept", b"b")]) is None
