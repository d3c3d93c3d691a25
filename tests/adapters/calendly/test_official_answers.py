"""Every example answer in Calendly's own papers is read by what the service calls."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import partial

import msgspec
import pytest

from adapters.calendly.accounts import CalendlyAccountsGateway
from adapters.calendly.availability import CalendlyAvailabilityGateway
from adapters.calendly.bookings import CalendlyBookingsGateway
from adapters.calendly.scheduling_links import CalendlySchedulingLinksGateway
from adapters.calendly.wire.decoding import decode
from adapters.calendly.wire.envelopes import Collection, Resource
from adapters.calendly.wire.subscriptions import Subscription
from domain.availability import Window
from tests.adapters.calendly.official import Examples, read_openapi, read_postman, serve
from tests.adapters.calendly.support import ACCESS, Wire, values_of

API = "https://api.calendly.com"
EVENT = f"{API}/scheduled_events/E1"
ALWAYS = Window(datetime(2000, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC))
Operation = Callable[[Wire], Awaitable[object]]


@pytest.fixture(scope="module", params=[read_openapi, read_postman], ids=["openapi", "postman"])
def examples(request: pytest.FixtureRequest) -> Examples:
    """The examples of one paper."""
    read: Callable[[], Examples] = request.param
    return read()


async def me(wire: Wire) -> object:
    """Get current user."""
    return await CalendlyAccountsGateway(wire.api).me(ACCESS)


async def user(wire: Wire) -> object:
    """Get user."""
    return await CalendlyAccountsGateway(wire.api).user(ACCESS, f"{API}/users/U1")


async def event_types(wire: Wire) -> object:
    """List event types."""
    return values_of(await CalendlyAvailabilityGateway(wire.api).event_types(ACCESS, "user"))


async def event_type(wire: Wire) -> object:
    """Get event type."""
    gateway = CalendlyAvailabilityGateway(wire.api)
    return await gateway.event_type(ACCESS, f"{API}/event_types/T1")


async def available_times(wire: Wire) -> object:
    """List available times."""
    gateway = CalendlyAvailabilityGateway(wire.api)
    return values_of(await gateway.available_times(ACCESS, "type", ALWAYS))


async def busy_times(wire: Wire) -> object:
    """List busy times."""
    gateway = CalendlyAvailabilityGateway(wire.api)
    return values_of(await gateway.busy_times(ACCESS, "user", ALWAYS))


async def schedules(wire: Wire) -> object:
    """List schedules."""
    return values_of(await CalendlyAvailabilityGateway(wire.api).schedules(ACCESS, "user"))


async def schedule(wire: Wire) -> object:
    """Get schedule."""
    uri = f"{API}/user_availability_schedule/S1"
    return await CalendlyAvailabilityGateway(wire.api).schedule(ACCESS, uri)


async def all_invitees(wire: Wire) -> object:
    """Get event, list invitees."""
    return await CalendlyBookingsGateway(wire.api).of_event(ACCESS, EVENT)


async def invitee(wire: Wire) -> object:
    """Get invitee, get event."""
    return await CalendlyBookingsGateway(wire.api).invitee(ACCESS, f"{EVENT}/invitees/I1")


async def mark(wire: Wire) -> object:
    """Create no-show."""
    gateway = CalendlyBookingsGateway(wire.api)
    return await gateway.mark_no_show(ACCESS, f"{EVENT}/invitees/I1")


async def link(wire: Wire) -> object:
    """Create single-use scheduling link."""
    gateway = CalendlySchedulingLinksGateway(wire.api)
    return await gateway.create_link(ACCESS, f"{API}/event_types/T1")


READS: list[Operation] = [
    *(me, user, event_types, event_type, available_times, busy_times, schedules, schedule),
    *(all_invitees, invitee, mark, link),
]


@pytest.mark.parametrize("operation", READS)
@pytest.mark.parametrize("number", range(2))
async def test_every_example_is_read(
    examples: Examples, operation: Operation, number: int
) -> None:
    """Every answer that Calendly documents has a meaning here."""
    wire = Wire(by=partial(serve, examples, number=number))

    assert await operation(wire)


async def test_every_page_of_events_is_read(examples: Examples) -> None:
    """No event and no invitee of the examples is passed over as unreadable."""
    wire = Wire(by=partial(serve, examples))

    page = await CalendlyBookingsGateway(wire.api).page(ACCESS, "user", ALWAYS, None)

    assert page.facts
    assert page.unreadable == 0


async def test_what_answers_nothing_more_is_done(examples: Examples) -> None:
    """Canceling and clearing a mark read nothing from their answers."""
    answers = {("POST", "/scheduled_events/*/cancellation"): [{"resource": {}}], **examples}
    wire = Wire(by=partial(serve, answers))
    gateway = CalendlyBookingsGateway(wire.api)

    await gateway.cancel(ACCESS, EVENT, "Ill")
    await gateway.clear_no_show(ACCESS, f"{API}/invitee_no_shows/N1")

    assert len(wire.requests) == 2


def test_every_subscription_is_read(examples: Examples) -> None:
    """Lists, answers to creating one and single subscriptions have one shape."""
    (listed,) = examples["GET", "/webhook_subscriptions"]
    alone = (
        examples["GET", "/webhook_subscriptions/*"] + examples["POST", "/webhook_subscriptions"]
    )

    found = decode(msgspec.json.encode(listed), Collection[Subscription]).collection
    found += [decode(msgspec.json.encode(each), Resource[Subscription]).resource for each in alone]

    assert len(found) >= 3
    assert all(each.uri and each.callback_url and each.events for each in found)
