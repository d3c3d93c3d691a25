"""Anything at all at the webhook address: refused for a stated reason, or taken in."""

import asyncio
import json
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from application.webhooks.delivery import DUPLICATE, STORED, UNAPPLIED
from domain.errors import MalformedWebhook, SignatureRejected, SubscriptionNotFound
from domain.integration import Integration
from tests.application.support import delivering
from tests.application.support.building import Product
from tests.application.support.process import Process
from tests.fakes.calendly import bodies
from tests.fakes.clock import NOON

REFUSALS = (SignatureRejected, MalformedWebhook, SubscriptionNotFound)
KINDS = ("invitee.created", "invitee.canceled", "invitee_no_show.created", "event_type.updated")
scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=8,
)


@st.composite
def likely(draw: st.DrawFn) -> bytes:
    """Return Calendly's own payload with some of its fields, at any depth, made anything."""
    about: dict[str, Any] = json.loads(json.dumps(bodies.payload()))
    for _ in range(draw(st.integers(0, 4))):
        where: Any = about
        while True:
            key = draw(st.sampled_from(sorted(where)))
            if isinstance(where[key], dict) and where[key] and draw(st.booleans()):
                where = where[key]
                continue
            where[key] = draw(values)
            break
    return json.dumps({**_envelope(draw), "payload": about}).encode()


def _envelope(draw: st.DrawFn) -> dict[str, Any]:
    return {
        "event": draw(st.sampled_from(KINDS) | st.text(max_size=20)),
        "created_at": draw(st.just("2026-11-22T12:00:00.000000Z") | st.text(max_size=30)),
        "created_by": bodies.USER,
    }


async def came_of(body: bytes, header: str | None, key: str | None) -> list[str]:
    """Return the results of a repeated delivery."""
    product = Product()
    process = Process(product, "process-1")
    await delivering.connect(product)
    results = []
    for _ in range(2):
        try:
            results.append((await process.ingest(body, header, key)).result)
        except REFUSALS as refusal:
            results.append(type(refusal).__name__)
    if STORED in results:
        (row,) = delivering.events(product)
        assert row.event.body == body
    assert not [each for each in product.telemetry.seen if UNAPPLIED in each]  # no bug of ours
    return results


@given(st.binary(max_size=200) | likely())
@example(
    b'{"event":"invitee.created","created_at":"2026-11-22T12:00:00Z","payload":' + b"[" * 9999
)
def test_any_signed_body_is_taken_in_once_or_refused(body: bytes) -> None:
    """Any signed body is stored once as it arrived, or refused as malformed."""
    results = asyncio.run(came_of(body, delivering.signed(body, NOON), None))

    assert results in ([STORED, DUPLICATE], [MalformedWebhook.__name__] * 2)


@given(st.text(max_size=80), st.binary(max_size=50))
@example("t=1,t=1,v1=" + "0" * 64, b"{}")
def test_any_header_that_is_no_signature_is_refused(header: str, body: bytes) -> None:
    """A header that was not made with the key lets nothing in, whatever it says."""
    results = asyncio.run(came_of(body, header, None))

    assert results == [SignatureRejected.__name__] * 2


@given(st.text(max_size=60))
@settings(max_examples=50)
def test_any_unknown_address_is_refused(key: str) -> None:
    """A signed delivery to an unknown address is refused."""
    body = delivering.created()

    results = asyncio.run(came_of(body, delivering.signed(body, NOON), key))

    assert results == [SubscriptionNotFound.__name__] * 2


async def test_the_fuzzed_delivery_would_be_taken_in(product: Product, process: Process) -> None:
    """The unchanged delivery of this test is stored and applied."""
    ada: Integration = await delivering.connect(product)

    assert (await delivering.deliver(process, delivering.created(), ada)).applied
