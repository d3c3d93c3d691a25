from datetime import timedelta

import pytest
from msgspec.structs import replace

from application.bookings.reconcile_missing import MAX_EVENTS, ReconcileMissing
from application.ports.storage.bookings import BookingQuery
from domain.availability import Window
from domain.booking import LAG, Facts
from domain.errors import (
    CalendlyForbidden,
    CalendlyNotFound,
    CalendlyProtocolError,
    CalendlyRejected,
    CalendlyThrottled,
    CalendlyUnavailable,
    CircuitOpen,
    ReauthRequired,
    SlotkeeperError,
)
from domain.integration import Gap
from domain.reconciliation import IN_FLIGHT
from tests.application.support.building import Product
from tests.application.support.host_setup import TOMORROW, Host, host, invalidations
from tests.application.support.process import Process

MANY = MAX_EVENTS + 3
NOBODY = "https://api.calendly.com/users/NOBODY"


@pytest.fixture
async def ada(product: Product) -> Host:
    """A host with slots for many."""
    made = await host(product)
    starts = tuple(TOMORROW + timedelta(minutes=30 * number) for number in range(MANY))
    product.calendly.open_slots(made.event_type.uri, starts)
    return made._replace(starts=starts)


async def booked(product: Product, process: Process, ada: Host, count: int) -> list[Facts]:
    """Let bookings of the host's be known here, by ascending URI of the event."""
    made = [
        product.calendly.invitee_books(ada.event_type.uri, start) for start in ada.starts[:count]
    ]
    product.clock.advance(LAG + IN_FLIGHT)
    await process.reconcile(ada.integration.id, backfill=True)
    return sorted(made, key=lambda each: each.event_uri)


def reassign(product: Product, *given: Facts) -> None:
    """Let Calendly reassign events to a host that is unknown here."""
    for facts in given:
        details = replace(facts.details, host_uris=(NOBODY,))
        product.calendly.put(replace(facts, details=details))
    product.clock.advance(LAG + IN_FLIGHT)


async def shown(product: Product, ada: Host) -> set[str]:
    """Return the events that the host is shown."""
    async with product.storage() as uow:
        page = await uow.bookings.page(ada.integration.user_id, BookingQuery(limit=99))
    return {each.facts.event_uri for each in page}


@pytest.mark.parametrize(
    "error",
    [
        CalendlyForbidden("no"),
        CalendlyNotFound("no"),
        CalendlyRejected("no"),
        CalendlyProtocolError("what?"),
    ],
)
async def test_what_concerns_one_event_passes_that_one_over(
    product: Product, process: Process, ada: Host, error: SlotkeeperError
) -> None:
    """An event that Calendly does not tell of stays as it is, and the next one is looked at."""
    first, second = await booked(product, process, ada, 2)
    reassign(product, first, second)
    product.randomness.chances = [0.0]
    product.calendly.fail_next("of_event", error)

    await process.reconcile(ada.integration.id, backfill=False)

    assert await shown(product, ada) == {first.event_uri}
    assert (await product.stored(ada.integration.id)).reconciled_at == product.clock.now()


@pytest.mark.parametrize(
    "error",
    [
        CalendlyUnavailable("down", retry_after=600),
        CalendlyThrottled("slow down", retry_after=600),
        CircuitOpen("held back", retry_after=600),
        ReauthRequired("connect again", cause="grant_revoked"),
    ],
)
async def test_what_concerns_more_than_one_event_ends_the_look_and_not_the_sweep(
    product: Product, process: Process, ada: Host, error: SlotkeeperError
) -> None:
    """When Calendly goes away after the last page, the sweep has compared and closes its gap."""
    given = await booked(product, process, ada, 2)
    reassign(product, *given)
    now = product.clock.now()
    async with product.storage() as uow:
        await uow.integrations.put_gap(ada.integration.id, Gap(since=now, until=now))
        await uow.commit()
    product.calendly.fail_always("of_event", error)

    await process.reconcile(ada.integration.id, backfill=False)

    stored = await product.stored(ada.integration.id)
    assert (stored.reconciled_at, stored.gap) == (product.clock.now(), None)
    assert product.calendly.calls["of_event"] == 1
    assert await shown(product, ada) == {each.event_uri for each in given}


async def test_each_unlisted_event_comes_up(product: Product, process: Process, ada: Host) -> None:
    """Ten refused events do not hide the other events forever."""
    *hiding, last = await booked(product, process, ada, MAX_EVENTS + 1)
    for each in hiding:
        del product.calendly.invitees[each.invitee_uri]
    reassign(product, last)
    product.randomness.chances = [0.0, 0.3]

    await process.reconcile(ada.integration.id, backfill=False)
    assert last.event_uri in await shown(product, ada)
    await process.reconcile(ada.integration.id, backfill=False)

    assert await shown(product, ada) == {each.event_uri for each in hiding}


@pytest.mark.parametrize("chance", [0.0, 0.5, 0.999999])
async def test_a_sweep_looks_at_so_many_events_at_the_most(
    product: Product, process: Process, ada: Host, chance: float
) -> None:
    """Wherever the look begins, no event is looked at twice, and the rest is left."""
    given = await booked(product, process, ada, MANY)
    reassign(product, *given)
    product.randomness.chances = [chance]

    await process.reconcile(ada.integration.id, backfill=False)

    assert len(await shown(product, ada)) == MANY - MAX_EVENTS
    assert product.calendly.calls["of_event"] == MAX_EVENTS


async def test_an_unchanged_event_invalidates_nothing(
    product: Product, process: Process, ada: Host
) -> None:
    """Looking at an event that is as it was leaves the cached availability fresh."""
    (facts,) = await booked(product, process, ada, 1)
    before, now = invalidations(product, ada), product.clock.now()
    missing = ReconcileMissing(
        storage=product.storage,
        session=process.session,
        calendly=product.calendly,
        clock=product.clock,
        randomness=product.randomness,
    )
    product.clock.advance(timedelta(seconds=1))
    span = Window(start=facts.details.start, end=facts.details.end)

    await missing.reconcile(ada.integration, span, set(), now)

    assert product.calendly.calls["of_event"] == 1
    assert invalidations(product, ada) == before
