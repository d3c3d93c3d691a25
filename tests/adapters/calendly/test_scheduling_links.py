import httpx
import pytest

from adapters.calendly.scheduling_links import CalendlySchedulingLinksGateway
from domain.errors import CalendlyUncertain, ScopeMissing
from tests.adapters.calendly.support import (
    ACCESS,
    API_URL,
    Wire,
    answer,
    refusal,
    resource,
    sent_json,
)
from tests.fakes.calendly import bodies

URL = "https://calendly.com/d/abcd-brv8/15-minute-meeting"


async def test_a_link_is_made_for_one_booking() -> None:
    """The body is the documented one, and the address comes back."""
    body = {"booking_url": URL, "owner": bodies.EVENT_TYPE, "owner_type": "EventType"}
    wire = Wire(resource(body, 201))

    made = await CalendlySchedulingLinksGateway(wire.api).create_link(ACCESS, bodies.EVENT_TYPE)

    assert made == URL
    assert (wire.request.method, str(wire.request.url)) == ("POST", f"{API_URL}/scheduling_links")
    assert sent_json(wire.request) == {
        "max_event_count": 1,
        "owner": bodies.EVENT_TYPE,
        "owner_type": "EventType",
    }


async def test_a_missing_scope_is_named() -> None:
    """A grant that is not allowed to make links says what it lacks."""
    lacking = ["scheduling_links:write"]
    wire = Wire(refusal(403, "Insufficient scope", required_scopes=lacking))

    with pytest.raises(ScopeMissing) as caught:
        await CalendlySchedulingLinksGateway(wire.api).create_link(ACCESS, bodies.EVENT_TYPE)

    assert caught.value.required == ("scheduling_links:write",)


@pytest.mark.parametrize(
    "mishap", [answer(503), httpx.ReadTimeout("late"), answer(201, b"<html>"), resource({}, 201)]
)
async def test_a_lost_answer_is_uncertain_and_not_repeated(
    mishap: httpx.Response | httpx.HTTPError,
) -> None:
    """A link may exist without our knowledge; nothing is sent twice by itself."""
    wire = Wire(mishap)

    with pytest.raises(CalendlyUncertain):
        await CalendlySchedulingLinksGateway(wire.api).create_link(ACCESS, bodies.EVENT_TYPE)

    assert len(wire.requests) == 1
