from datetime import UTC, datetime, timedelta

import httpx
import pytest

from adapters.calendly.bookings import CalendlyBookingsGateway
from domain.availability import Window
from domain.booking import BookingStatus, Facts
from domain.errors import (
    CalendlyForbidden,
    CalendlyNotFound,
    CalendlyProtocolError,
    CalendlyUnavailable,
)
from domain.secret import Secret
from tests.adapters.calendly.support import ACCESS, Wire, answer, query, refusal, resource
from tests.fakes.calendly import bodies

SPAN = Window(datetime(2026, 12, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))
EVENTS = "/scheduled_events"


def event_uri(number: int) -> str:
    """One of several events."""
    return f"{bodies.API}/scheduled_events/EVENT{number}"


def event(number: int, **changed: object) -> dict[str, object]:
    """One of several events, an hour after the one before."""
    start = bodies.START + timedelta(hours=number)
    times = {"start_time": bodies.stamp(start), "end_time": bodies.stamp(start)}
    return bodies.event(uri=event_uri(number), **times, **changed)


def invitee(number: int, letter: str = "A") -> dict[str, object]:
    """One of several invitees of an event."""
    uri = f"{event_uri(number)}/invitees/{letter}"
    return bodies.invitee(uri=uri, event=event_uri(number))


def uris(facts: tuple[Facts, ...] | list[Facts]) -> list[str]:
    """Return the invitees by the last two segments of interest."""
    return [each.invitee_uri.removeprefix(f"{bodies.API}/scheduled_events/") for each in facts]


async def test_a_page_holds_every_invitee_of_its_events() -> None:
    """Events of both statuses are listed by start, and each one's invitees on all pages."""

    def calendly(request: httpx.Request) -> httpx.Response:
        if request.url.path == EVENTS:
            listed = bodies.page(event(1), event(2, status="canceled"), next_page_token="next-1")
            return answer(200, listed)
        if request.url.path == f"{EVENTS}/EVENT1/invitees":
            if "page_token" not in query(request):
                return answer(200, bodies.page(invitee(1), next_page_token="more-1"))
            return answer(200, bodies.page(invitee(1, "B")))
        return answer(200, bodies.page(invitee(2)))

    wire = Wire(by=calendly)

    page = await CalendlyBookingsGateway(wire.api).page(ACCESS, bodies.USER, SPAN, None)

    assert uris(page.facts) == ["EVENT1/invitees/A", "EVENT1/invitees/B", "EVENT2/invitees/A"]
    assert [each.status for each in page.facts] == [
        BookingStatus.BOOKED,
        BookingStatus.BOOKED,
        BookingStatus.CANCELED,
    ]
    assert page.next_page == "next-1"
    assert query(wire.requests[0]) == {
        "user": bodies.USER,
        "min_start_time": "2026-12-01T00:00:00Z",
        "max_start_time": "2027-01-01T00:00:00Z",
        "sort": "start_time:asc",
        "count": "25",
    }
    assert query(wire.requests[1]) == {"count": "100"}


async def test_the_last_page_says_that_it_is_the_last() -> None:
    """A page token is handed back to Calendly as it came; no token ends the list."""
    wire = Wire(answer(200, bodies.page()))

    page = await CalendlyBookingsGateway(wire.api).page(ACCESS, bodies.USER, SPAN, "next-1")

    assert (page.facts, page.next_page) == ((), None)
    assert query(wire.request)["page_token"] == "next-1"


async def test_an_event_at_the_very_end_belongs_to_the_next_span() -> None:
    """The span is half-open, whatever Calendly takes its bounds for."""
    at_end = bodies.event(start_time=bodies.stamp(SPAN.end))
    wire = Wire(answer(200, bodies.page(at_end)))

    page = await CalendlyBookingsGateway(wire.api).page(ACCESS, bodies.USER, SPAN, None)

    assert page.facts == ()
    assert len(wire.requests) == 1


@pytest.mark.parametrize("status", [403, 404])
async def test_an_event_that_cannot_be_opened_does_not_stop_the_rest(status: int) -> None:
    """Events of a former organization are listed but not opened; the others still count."""

    def calendly(request: httpx.Request) -> httpx.Response:
        if request.url.path == EVENTS:
            return answer(200, bodies.page(event(1), event(2)))
        if "EVENT1" in request.url.path:
            return refusal(status, "Permission Denied", "You are not allowed to view this event")
        return answer(200, bodies.page(invitee(2)))

    page = await CalendlyBookingsGateway(Wire(by=calendly).api).page(
        ACCESS, bodies.USER, SPAN, None
    )

    assert uris(page.facts) == ["EVENT2/invitees/A"]


async def test_an_outage_in_the_middle_of_a_page_fails_the_page() -> None:
    """A page is whole or not there: half of one could look like lost bookings."""

    def calendly(request: httpx.Request) -> httpx.Response:
        if request.url.path == EVENTS:
            return answer(200, bodies.page(event(1), event(2)))
        return answer(503) if "EVENT1" in request.url.path else answer(200, bodies.page())

    with pytest.raises(CalendlyUnavailable):
        await CalendlyBookingsGateway(Wire(by=calendly).api).page(ACCESS, bodies.USER, SPAN, None)


async def test_a_page_fits_into_the_free_plans_minute() -> None:
    """A full page and its invitees stay within the 50 requests a minute of the Free plan."""

    def calendly(request: httpx.Request) -> httpx.Response:
        if request.url.path == EVENTS:
            count = int(query(request)["count"])
            return answer(200, bodies.page(*(event(each) for each in range(count))))
        return answer(200, bodies.page(invitee(1)))

    wire = Wire(by=calendly)

    page = await CalendlyBookingsGateway(wire.api).page(ACCESS, bodies.USER, SPAN, None)

    assert len(page.facts) == 25
    assert len(wire.requests) == 26


async def test_an_invitees_bookings_are_found_by_e_mail() -> None:
    """Both the events and their invitees are filtered by the e-mail."""

    def calendly(request: httpx.Request) -> httpx.Response:
        listed = event(1) if request.url.path == EVENTS else invitee(1)
        return answer(200, bodies.page(listed))

    wire = Wire(by=calendly)

    found = await CalendlyBookingsGateway(wire.api).find(
        ACCESS, bodies.USER, "grace+1@example.net", SPAN
    )

    assert uris(found) == ["EVENT1/invitees/A"]
    assert query(wire.requests[0])["invitee_email"] == "grace+1@example.net"
    assert "%2B1" in str(wire.requests[0].url)
    assert query(wire.requests[1]) == {"email": "grace+1@example.net", "count": "100"}


async def test_an_organizations_bookings_are_found_by_e_mail() -> None:
    """The events of an organization are asked for in the place of one user's."""

    def calendly(request: httpx.Request) -> httpx.Response:
        listed = event(1) if request.url.path == EVENTS else invitee(1)
        return answer(200, bodies.page(listed))

    wire = Wire(by=calendly)
    organization = f"{bodies.API}/organizations/ORG1"

    found = await CalendlyBookingsGateway(wire.api).find_in_organization(
        ACCESS, organization, "grace@example.net", SPAN
    )

    assert uris(found) == ["EVENT1/invitees/A"]
    sent = query(wire.requests[0])
    assert (sent["organization"], sent["invitee_email"]) == (organization, "grace@example.net")
    assert "user" not in sent


async def test_all_invitees_of_an_event_are_read() -> None:
    """All pages of an event's invitees are read, in two requests when there is one page."""

    def calendly(request: httpx.Request) -> httpx.Response:
        if request.url.path == f"{EVENTS}/EVENT1":
            return resource(event(1, status="canceled"))
        if "page_token" in query(request):
            return answer(200, bodies.page(invitee(1, "B")))
        return answer(200, bodies.page(invitee(1), next_page_token="more"))

    found = await CalendlyBookingsGateway(Wire(by=calendly).api).of_event(ACCESS, event_uri(1))

    assert uris(found) == ["EVENT1/invitees/A", "EVENT1/invitees/B"]
    assert {each.status for each in found} == {BookingStatus.CANCELED}


@pytest.mark.parametrize("status", [403, 404])
async def test_an_event_that_cannot_be_opened_is_an_error(status: int) -> None:
    """A caller who asks for one event learns that it does not exist, or is not theirs."""
    wire = Wire(by=lambda _: refusal(status, "Resource Not Found"))

    with pytest.raises((CalendlyForbidden, CalendlyNotFound)):
        await CalendlyBookingsGateway(wire.api).of_event(ACCESS, event_uri(1))


async def test_one_invitee_is_read_together_with_its_event() -> None:
    """The facts of one invitee hold what the event says too."""
    location = {"type": "google_conference", "join_url": "https://meet.example/1"}
    wire = Wire(
        resource(bodies.invitee()), resource(bodies.event(status="active", location=location))
    )

    facts = await CalendlyBookingsGateway(wire.api).invitee(ACCESS, bodies.INVITEE)

    assert facts.invitee_uri == bodies.INVITEE
    assert facts.details.start == bodies.START
    assert facts.details.location is not None
    assert facts.details.location.join_url == "https://meet.example/1"
    assert facts.links.cancel == Secret("https://calendly.com/cancellations/INVITEE0001")
    assert [each.url.path for each in wire.requests] == [
        "/scheduled_events/EVENT0001/invitees/INVITEE0001",
        "/scheduled_events/EVENT0001",
    ]


@pytest.mark.parametrize(
    "uri",
    [
        "https://api.calendly.com/scheduled_events/EVENT0001",
        "https://api.calendly.com/scheduled_events/../users/me",
        "https://api.calendly.com/users/A/invitees/B",
        "https://api.calendly.com/scheduled_events/A/invitees/B/C",
        "https://api.calendly.com/scheduled_events/A%2F/invitees/B",
        "https://api.calendly.com/scheduled_events//invitees/B",
        "INVITEE0001",
        "",
        "https://api.calendly.com/scheduled_events/Ä/invitees/B",
    ],
)
async def test_what_is_no_invitee_is_not_asked_for(uri: str) -> None:
    """An address that is not an invitee's is not found, and no request leaves."""
    wire = Wire()

    with pytest.raises(CalendlyNotFound):
        await CalendlyBookingsGateway(wire.api).invitee(ACCESS, uri)

    assert wire.requests == []


async def test_a_token_only_goes_to_the_configured_host() -> None:
    """A URI that names another host is still asked for at Calendly."""
    wire = Wire(refusal(404, "Resource Not Found"))

    with pytest.raises(CalendlyNotFound):
        await CalendlyBookingsGateway(wire.api).invitee(
            ACCESS, "https://evil.example/scheduled_events/A/invitees/B"
        )

    assert wire.request.url.host == "api.test"


async def test_an_unreadable_invitee_hides_no_other() -> None:
    """An event and an invitee of no known shape are passed over and counted, the others read."""

    def calendly(request: httpx.Request) -> httpx.Response:
        if request.url.path == EVENTS:
            return answer(200, bodies.page(event(1), event(2) | {"start_time": "soon"}, event(3)))
        if request.url.path == f"{EVENTS}/EVENT1/invitees":
            broken = invitee(1, "B") | {"created_at": None}
            return answer(200, bodies.page(invitee(1), broken, invitee(1, "C")))
        return answer(200, bodies.page(invitee(3)))

    wire = Wire(by=calendly)

    page = await CalendlyBookingsGateway(wire.api).page(ACCESS, bodies.USER, SPAN, None)

    assert uris(page.facts) == ["EVENT1/invitees/A", "EVENT1/invitees/C", "EVENT3/invitees/A"]
    assert page.unreadable == 2


async def test_a_search_with_an_unreadable_result_fails(wire_of_a_broken_invitee: Wire) -> None:
    """A search for a booking of ours fails where something could not be read: it may be that."""
    gateway = CalendlyBookingsGateway(wire_of_a_broken_invitee.api)

    with pytest.raises(CalendlyProtocolError):
        await gateway.find(ACCESS, bodies.USER, "grace@example.net", SPAN)


@pytest.fixture
def wire_of_a_broken_invitee() -> Wire:
    """A Calendly whose only invitee comes in no known shape."""

    def calendly(request: httpx.Request) -> httpx.Response:
        if request.url.path == EVENTS:
            return answer(200, bodies.page(event(1)))
        return answer(200, bodies.page(invitee(1) | {"created_at": None}))

    return Wire(by=calendly)
