import asyncio
from datetime import timedelta

import pytest

from application.jobs.job_result import LEFT_FOR_LATER
from application.webhooks import fetch_unreadable
from application.webhooks.fetch_unreadable import FETCHES_FOR
from domain.booking import BookingStatus
from domain.errors import CalendlyForbidden, CalendlyUnavailable
from domain.pending_webhooks import NEEDS_PERSON
from tests.application.support.building import Product
from tests.application.support.delivering import deliver, events, statuses
from tests.application.support.host_setup import Host, host
from tests.application.support.process import Process
from tests.fakes.calendly import bodies


@pytest.fixture
async def ada(product: Product) -> Host:
    """A host with event types at Calendly."""
    return await host(product)


async def unreadable(product: Product, process: Process, ada: Host) -> str:
    """Book at Calendly and deliver a webhook about it that cannot be read; return its URI."""
    booked = product.calendly.invitee_books(ada.event_type.uri, ada.starts[0])
    payload = bodies.payload(uri=booked.invitee_uri, status=5)
    await deliver(process, bodies.webhook("invitee.created", payload), ada.integration)
    assert statuses(product) == []
    return booked.invitee_uri


async def test_the_invitee_is_fetched(product: Product, process: Process, ada: Host) -> None:
    """A webhook that cannot be read still makes its booking, within one run of the job."""
    await unreadable(product, process, ada)

    job_result = await process.apply(10, lambda _: None)

    assert job_result.done == {"applied": 1}
    assert statuses(product) == [BookingStatus.BOOKED]
    (event,) = events(product)
    assert event.status == "applied"
    assert product.calendly.calls["invitee"] == 1


async def test_what_calendly_refuses_waits_as_before(
    product: Product, process: Process, ada: Host
) -> None:
    """Where the invitee cannot be fetched the event stays pending, visible and counted."""
    await unreadable(product, process, ada)
    product.calendly.fail_always("invitee", CalendlyForbidden("no"))

    job_result = await process.apply(10, lambda _: None)

    assert job_result.failed == {"webhook_unreadable": 1}
    (event,) = events(product)
    assert (event.status, event.reason, event.event.attempts) == (
        "pending",
        "webhook_unreadable",
        1,
    )


async def test_an_outage_of_calendly_makes_no_dead_letter(
    product: Product, process: Process, ada: Host
) -> None:
    """While Calendly is down attempts are not counted; afterwards the booking is there."""
    await unreadable(product, process, ada)
    product.calendly.fail_always("invitee", CalendlyUnavailable("down"))
    for _ in range(NEEDS_PERSON.limit + 1):
        await process.apply(10, lambda _: None)
        product.clock.advance(timedelta(minutes=6))
    (event,) = events(product)
    assert (event.status, event.event.attempts) == ("pending", 0)
    product.calendly.heal()

    await process.apply(10, lambda _: None)

    assert statuses(product) == [BookingStatus.BOOKED]


async def test_fetches_end_before_the_claim_does(
    product: Product, process: Process, ada: Host
) -> None:
    """An event whose turn comes late in a page stays claimed, and is fetched by a later page."""
    uri = await unreadable(product, process, ada)
    later = bodies.webhook("invitee.canceled", bodies.payload(uri=uri, status=6))
    await deliver(process, later, ada.integration)
    hold = product.calendly.hold_next("invitee")
    run = asyncio.create_task(process.apply(10, lambda _: None))
    await hold.reached.wait()
    product.clock.advance(FETCHES_FOR)
    hold.release()
    job_result = await run

    assert job_result.done == {"applied": 1, LEFT_FOR_LATER: 1}
    assert sorted(each.status for each in events(product)) == ["applied", "pending"]


async def test_a_fetch_that_hangs_delays_no_other_event(
    product: Product, process: Process, ada: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has its reason, waits as in an outage, and the event behind it has its turn."""
    monkeypatch.setattr(fetch_unreadable, "ONE_FETCH", 0.05)
    uri = await unreadable(product, process, ada)
    later = bodies.webhook("invitee.canceled", bodies.payload(uri=uri, status=6))
    await deliver(process, later, ada.integration)
    hold = product.calendly.hold_next("invitee")

    job_result = await process.apply(1, lambda _: None)

    assert (job_result.failed, job_result.done) == ({"calendly_unavailable": 1}, {})
    stuck = [each for each in events(product) if each.reason is not None]
    assert [(each.status, each.reason, each.event.attempts) for each in stuck] == [
        ("pending", "calendly_unavailable", 0)
    ]
    hold.release()
    assert (await process.apply(1, lambda _: None)).done == {"applied": 1}
