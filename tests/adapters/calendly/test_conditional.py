import httpx
import pytest

from adapters.calendly.availability import CalendlyAvailabilityGateway
from application.ports.calendly.availability import Fetched, Unchanged
from domain.errors import CalendlyProtocolError, CalendlyThrottled
from tests.adapters.calendly.support import ACCESS, Wire, answer
from tests.fakes.calendly import bodies

TAG = 'W/"5e1f"'


def listed(etag: str | None = TAG, more: str | None = None) -> httpx.Response:
    """Return a page of event types."""
    body = bodies.page(bodies.event_type(), next_page_token=more)
    return answer(200, body, **({} if etag is None else {"etag": etag}))


async def test_a_tag_is_named_and_handed_back_as_it_came() -> None:
    """The tag of an answer goes into If-None-Match, its W/ included."""
    wire = Wire(listed(), answer(304))
    gateway = CalendlyAvailabilityGateway(wire.api)

    first = await gateway.event_types(ACCESS, bodies.USER)
    assert isinstance(first, Fetched)
    second = await gateway.event_types(ACCESS, bodies.USER, known=first.etag)

    assert (first.etag, second) == (TAG, Unchanged(TAG))
    assert "if-none-match" not in wire.requests[0].headers
    assert wire.requests[1].headers["if-none-match"] == TAG


async def test_a_304_to_a_request_without_a_tag_is_no_answer() -> None:
    """A 304 to a plain question is no answer."""
    wire = Wire(answer(304))

    with pytest.raises(CalendlyProtocolError, match="304"):
        await CalendlyAvailabilityGateway(wire.api).event_types(ACCESS, bodies.USER)


async def test_the_tag_of_a_page_is_the_tag_of_no_list() -> None:
    """A list of several pages has none, and only its first page is asked for with one."""
    wire = Wire(listed(more="next"), listed('W/"other"'))

    found = await CalendlyAvailabilityGateway(wire.api).event_types(
        ACCESS, bodies.USER, known='W/"old"'
    )

    assert isinstance(found, Fetched)
    assert (len(found.values), found.etag) == (2, None)
    named = [each.headers.get("if-none-match") for each in wire.requests]
    assert named == ['W/"old"', None]


@pytest.mark.parametrize("etag", [None, "", "bare", 'W/"', f'"{"x" * 300}"', '"a b"', '"a", "b"'])
async def test_what_cannot_be_sent_back_is_no_tag(etag: str | None) -> None:
    """An answer whose tag is absent, endless or no tag at all is a whole list without one."""
    wire = Wire(listed(etag))

    found = await CalendlyAvailabilityGateway(wire.api).event_types(ACCESS, bodies.USER)

    assert isinstance(found, Fetched)
    assert found.etag is None


@pytest.mark.parametrize("known", ["", "bare", '"a"\r\nX-Evil: 1', '"é"', "*"])
async def test_what_is_no_tag_is_not_sent(known: str) -> None:
    """A malformed tag costs a whole answer, never a malformed request."""
    wire = Wire(listed())

    await CalendlyAvailabilityGateway(wire.api).event_types(ACCESS, bodies.USER, known=known)

    assert "if-none-match" not in wire.request.headers


async def test_a_304_is_counted_like_any_answer() -> None:
    """The rate headers of a 304 are read: with nothing left, the next call waits."""
    spent = {"x_ratelimit_limit": "500", "x_ratelimit_remaining": "0", "x_ratelimit_reset": "60"}
    wire = Wire(answer(304, **spent))
    gateway = CalendlyAvailabilityGateway(wire.api)

    assert await gateway.event_types(ACCESS, bodies.USER, known=TAG) == Unchanged(TAG)
    with pytest.raises(CalendlyThrottled):
        await gateway.event_types(ACCESS, bodies.USER, known=TAG)

    assert len(wire.requests) == 1
