from datetime import timedelta

import pytest
from msgspec.structs import replace

from application.bookings.count_missed_webhooks import count_missed_webhooks
from application.ports.storage.webhook_events import NewEvent, WebhookEvent
from domain.booking import BookingStatus, Facts
from domain.ids import WebhookEventId
from domain.reconciliation import IN_FLIGHT, Change, Missed
from domain.webhook import APP_WIDE, ParsedWebhook, dedupe_key
from tests import samples
from tests.application.support.building import Product
from tests.application.support.host_setup import Host, host, subscribe
from tests.application.support.process import Process

HOUR = timedelta(hours=1)
CREATED, LEFT = "invitee.created", "invitee.canceled"
MARK, UNMARK = "invitee_no_show.created", "invitee_no_show.deleted"


@pytest.fixture
async def ada(product: Product, process: Process) -> Host:
    """A host with a webhook subscription whose bookings are all stored."""
    made = await host(product)
    await subscribe(product, made)
    await process.reconcile(made.integration.id, backfill=True)
    product.clock.advance(HOUR)
    return made


async def leave(
    product: Product, ada: Host, kind: str, body: bytes, *, dead: bool = False, **changes: object
) -> None:
    """Store a webhook of the host's that has no effect yet, received now."""
    plain = WebhookEvent(
        id=WebhookEventId(product.randomness.new_id()),
        dedupe_key=str(product.randomness.new_id()),
        kind=kind,
        body=body,
        received_at=product.clock.now(),
        occurred_at=product.clock.now(),
        integration_id=ada.integration.id,
        user_id=ada.integration.user_id,
    )
    event = replace(plain, **changes)
    async with product.storage() as uow:
        await uow.webhook_events.store([NewEvent(event)])
        if dead:
            await uow.webhook_events.failed(event.id, "webhook_unreadable", None)
        await uow.commit()


def naming(facts: Facts) -> bytes:
    """Return a body of no known shape that names the invitee."""
    return f'{{"uri": "{facts.invitee_uri}", "what": 1}}'.encode()


async def compared(product: Product, process: Process, ada: Host) -> int:
    """Compare a while later; return how many bookings count as lost."""
    product.clock.advance(IN_FLIGHT)
    count = await process.reconcile(ada.integration.id, backfill=False)
    stored = await product.stored(ada.integration.id)
    assert product.telemetry.seen.get(("bookings_repaired",), 0) == stored.repaired_count
    return count


@pytest.mark.parametrize("dead", [False, True])
@pytest.mark.parametrize("whose", ["theirs", "app-wide"])
async def test_what_a_stored_webhook_tells_was_not_lost(
    product: Product, process: Process, ada: Host, whose: str, *, dead: bool
) -> None:
    """A booking whose webhook waits or is a dead letter is repaired, and not counted as lost."""
    facts = product.calendly.invitee_books(ada.event_type.uri, ada.starts[0])
    nobody = {"integration_id": None, "user_id": None} if whose == "app-wide" else {}
    await leave(product, ada, CREATED, naming(facts), dead=dead, **nobody)

    assert await compared(product, process, ada) == 0

    assert len(product.storage.state.bookings) == 1


@pytest.mark.parametrize("scope", ["own", APP_WIDE])
async def test_a_webhook_that_does_not_open_is_known_by_its_key(
    product: Product, process: Process, ada: Host, scope: str
) -> None:
    """A stored event whose encryption key is lost still identifies its booking."""
    facts = product.calendly.invitee_books(ada.event_type.uri, ada.starts[0])
    webhook = ParsedWebhook(
        kind=CREATED, occurred_at=product.clock.now(), subject=facts.invitee_uri
    )
    owner = str(ada.integration.id) if scope == "own" else scope
    key = dedupe_key(webhook, b"", owner)
    await leave(product, ada, CREATED, b"", fault="encryption_key_unknown", dedupe_key=key)

    assert await compared(product, process, ada) == 0


async def test_the_webhook_of_another_booking_proves_nothing(
    product: Product, process: Process, ada: Host
) -> None:
    """Of two bookings the one is counted whose webhook is nowhere."""
    delivered = product.calendly.invitee_books(ada.event_type.uri, ada.starts[0])
    product.calendly.invitee_books(ada.event_type.uri, ada.starts[1])
    await leave(product, ada, CREATED, naming(delivered))

    assert await compared(product, process, ada) == 1

    assert len(product.storage.state.bookings) == 2


async def test_a_webhook_of_another_kind_tells_nothing(
    product: Product, process: Process, ada: Host
) -> None:
    """A cancellation whose webhook was lost counts although the booking's own waits."""
    facts = product.calendly.invitee_books(ada.event_type.uri, ada.starts[0])
    await leave(product, ada, CREATED, naming(facts))
    product.calendly.invitee_cancels(facts.invitee_uri)

    assert await compared(product, process, ada) == 1


async def test_an_older_webhook_does_not_tell_what_came_later(
    product: Product, process: Process, ada: Host
) -> None:
    """A pending webhook of the creation does not report the reschedule an hour later."""
    facts = product.calendly.invitee_books(ada.event_type.uri, ada.starts[0])
    await leave(product, ada, CREATED, naming(facts))
    assert await compared(product, process, ada) == 0
    product.clock.advance(HOUR)
    _, newer = product.calendly.invitee_reschedules(facts.invitee_uri, ada.starts[1])
    assert await compared(product, process, ada) == 2

    _, newest = product.calendly.invitee_reschedules(newer.invitee_uri, ada.starts[2])
    body = naming(newest) + naming(newer)
    await leave(product, ada, CREATED, body)

    assert await compared(product, process, ada) == 0


async def test_pending_no_show_webhooks_do_not_count_as_lost(
    product: Product, process: Process, ada: Host
) -> None:
    """Pending no-show webhooks do not count as lost."""
    facts = product.calendly.invitee_books(ada.event_type.uri, ada.starts[0])
    assert await compared(product, process, ada) == 1
    access = product.calendly.access(ada.integration.account.user_uri)
    mark = await product.calendly.mark_no_show(access, facts.invitee_uri)
    await leave(product, ada, MARK, naming(facts))
    assert await compared(product, process, ada) == 0
    assert mark.uri is not None
    await product.calendly.clear_no_show(access, mark.uri)
    await leave(product, ada, UNMARK, naming(facts))

    assert await compared(product, process, ada) == 0

    (stored,) = product.storage.state.bookings.values()
    assert stored.facts.no_show is not None
    assert stored.facts.no_show.uri is None


async def test_what_happened_before_the_first_subscription_was_not_lost(
    product: Product, process: Process
) -> None:
    """Bookings older than the subscription enter the window, are stored, and count as no loss."""
    bob = await host(product, "bob")
    await process.reconcile(bob.integration.id, backfill=True)
    older = product.calendly.invitee_books(bob.event_type.uri, bob.starts[0])
    product.calendly.invitee_books(bob.event_type.uri, bob.starts[1])
    product.clock.advance(HOUR)
    await subscribe(product, bob)
    product.calendly.invitee_cancels(older.invitee_uri)
    product.calendly.invitee_books(bob.event_type.uri, bob.starts[2])
    product.clock.advance(HOUR)
    await subscribe(product, bob)  # found to be good again, which begins nothing new

    assert await compared(product, process, bob) == 2

    assert len(product.storage.state.bookings) == 3


async def test_a_delivery_for_the_event_reports_each_invitee(product: Product, ada: Host) -> None:
    """The pending delivery of one invitee reports the event's cancellation for the other one."""
    at = product.clock.now()
    first, second = (
        replace(
            samples.facts(name, event_uri=f"{samples.CALENDLY}/scheduled_events/GROUP"),
            status=BookingStatus.CANCELED,
            event_canceled_at=at,
        )
        for name in "AB"
    )
    body = f'{{"uri": "{first.invitee_uri}", "event": "{first.event_uri}"}}'.encode()
    await leave(product, ada, LEFT, body)
    product.clock.advance(IN_FLIGHT)
    missed = (Missed(at, frozenset({LEFT})),)

    counts = [
        await counted(product, ada, Change(each, each, missed))
        for each in (first, second, replace(second, event_canceled_at=None))
    ]

    assert counts == [0, 0, 1]


async def counted(product: Product, ada: Host, change: Change) -> int:
    """Return whether this change counts as lost now."""
    integration = await product.stored(ada.integration.id)
    async with product.storage() as uow:
        return await count_missed_webhooks(uow, integration, [change], product.clock.now())
