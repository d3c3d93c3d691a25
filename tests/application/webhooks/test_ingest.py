from datetime import timedelta

import pytest

from application.ports.storage.availability_cache import CacheKind
from application.webhooks.delivery import DUPLICATE, STORED, IngestResult
from domain.booking import BookingStatus
from domain.errors import (
    MalformedWebhook,
    SignatureRejected,
    SubscriptionNotFound,
)
from domain.integration import Integration
from domain.secret import Secret
from domain.signature import DEFAULT_TOLERANCE
from tests.application.support.building import Product
from tests.application.support.delivering import (
    canceled,
    connect,
    created,
    deliver,
    events,
    key_of,
    signed,
    statuses,
)
from tests.application.support.process import OLD_SIGNING_KEY, Process
from tests.fakes.calendly import bodies
from tests.fakes.clock import NOON


@pytest.fixture
async def ada(product: Product) -> Integration:
    """A connected user."""
    return await connect(product)


async def test_a_delivery_is_stored_and_applied(
    product: Product, process: Process, ada: Integration
) -> None:
    """When a delivery is answered its event is stored and the booking is there."""
    body = created()

    ingested = await deliver(process, body, ada)

    (row,) = events(product)
    assert ingested == IngestResult(STORED, row.event.id, applied=True)
    assert (row.status, row.event.body, row.event.received_at) == ("applied", body, NOON)
    assert (row.event.integration_id, row.event.user_id) == (ada.id, ada.user_id)
    assert statuses(product) == [BookingStatus.BOOKED]
    assert product.telemetry.seen == {
        ("webhook_received", STORED): 1,
        ("webhook_applied", "invitee.created", "applied"): 1,
    }


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        (None, "missing"),
        ("  ", "missing"),
        ("v1=abc", "malformed"),
        (signed(created(), NOON - DEFAULT_TOLERANCE - timedelta(seconds=1)), "stale"),
        (signed(created(), NOON + DEFAULT_TOLERANCE + timedelta(seconds=1)), "stale"),
        (signed(created(), NOON, Secret("another key")), "mismatch"),
        (signed(created(2), NOON), "mismatch"),
    ],
)
async def test_a_bad_signature_is_refused_and_counted(
    product: Product, process: Process, ada: Integration, header: str | None, reason: str
) -> None:
    """A delivery whose signature does not hold is refused for its reason, and nothing is stored."""
    with pytest.raises(SignatureRejected) as refusal:
        await process.ingest(created(), header, key_of(ada))

    assert refusal.value.reason == reason
    assert "Calendly-Webhook-Signature" in refusal.value.message
    assert (events(product), statuses(product)) == ([], [])
    assert product.telemetry.seen == {("webhook_received", reason): 1}


async def test_the_previous_key_is_accepted_while_keys_change(
    process: Process, ada: Integration
) -> None:
    """Deliveries signed under either key arrive while keys are exchanged."""
    body = created()

    ingested = await process.ingest(body, signed(body, NOON, OLD_SIGNING_KEY), key_of(ada))

    assert ingested.result == STORED


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"not json", b'{"event": "invitee.created"}'],
    ids=["empty", "no object", "no JSON", "no envelope"],
)
async def test_a_body_that_is_no_event_is_refused_and_counted(
    product: Product, process: Process, ada: Integration, body: bytes
) -> None:
    """A signed body without a Calendly event is refused, and nothing is stored."""
    with pytest.raises(MalformedWebhook):
        await deliver(process, body, ada)

    assert events(product) == []
    assert product.telemetry.seen == {("webhook_received", "malformed_body"): 1}


async def test_an_unreadable_payload_is_stored_and_answered_well(
    product: Product, process: Process, ada: Integration
) -> None:
    """One field that cannot be read costs neither the event nor the subscription."""
    body = created(email=["grace@example.net"])

    ingested = await deliver(process, body, ada)
    again = await deliver(process, body, ada)

    (row,) = events(product)
    assert (ingested.result, ingested.applied, again) == (STORED, False, IngestResult(DUPLICATE))
    assert (row.status, row.event.body, row.event.integration_id) == ("pending", body, ada.id)
    assert product.telemetry.seen["webhook_applied", "invitee.created", "webhook_unreadable"] == 1
    assert product.telemetry.places == {row.event.id: "payload.email"}


@pytest.mark.parametrize("key", ["nonsense", "abc-def", "0" * 32 + "-token"])
async def test_an_unknown_address_is_not_found(
    product: Product, process: Process, ada: Integration, key: str
) -> None:
    """A delivery to an unknown address is refused and counted, and nothing is stored."""
    with pytest.raises(SubscriptionNotFound):
        await deliver(process, created(), ada, key=key)

    assert events(product) == []
    assert product.telemetry.seen == {("webhook_received", "unknown_subscription"): 1}


async def test_a_repeated_delivery_is_a_duplicate(
    product: Product, process: Process, ada: Integration
) -> None:
    """The same fact delivered again is answered well and changes nothing."""
    await deliver(process, created(), ada)
    before = product.storage.state

    again = await deliver(process, created(), ada)

    assert again == IngestResult(DUPLICATE)
    assert product.storage.state is before
    assert product.telemetry.seen["webhook_received", DUPLICATE] == 1


async def test_the_second_invitee_of_a_group_is_no_duplicate(
    product: Product, process: Process, ada: Integration
) -> None:
    """Each invitee of one event is a booking of its own."""
    await deliver(process, created(1), ada)

    second = await deliver(process, created(2), ada)

    assert second.result == STORED
    assert statuses(product) == [BookingStatus.BOOKED] * 2


async def test_any_order_gives_the_same_booking(
    product: Product, process: Process, ada: Integration
) -> None:
    """A cancellation that arrives first is not undone by the booking that arrives late."""
    await deliver(process, canceled(), ada)

    await deliver(process, created(), ada)

    assert statuses(product) == [BookingStatus.CANCELED]


async def test_an_unknown_kind_is_stored_and_ignored(
    product: Product, process: Process, ada: Integration
) -> None:
    """A kind that we do not know is kept and answered well."""
    ingested = await deliver(process, bodies.webhook("contact.created", {"uri": "x"}), ada)

    (row,) = events(product)
    assert (ingested.result, ingested.applied) == (STORED, False)
    assert (row.status, row.reason) == ("ignored", "unknown_kind")
    assert product.telemetry.seen["webhook_applied", "contact.created", "ignored"] == 1
    assert product.telemetry.seen["unknown_webhook_stored", "contact.created"] == 1


async def test_the_app_wide_address_finds_the_host(
    product: Product, process: Process, ada: Integration
) -> None:
    """A delivery to the app's own address reaches the user who hosts the event."""
    await product.connect("bob")

    ingested = await deliver(process, created(), None)

    (row,) = events(product)
    assert ingested.applied
    assert row.event.integration_id == ada.id
    assert [each.user_id for each in product.storage.state.bookings.values()] == [ada.user_id]


async def test_either_address_tells_a_fact_once(process: Process, ada: Integration) -> None:
    """A fact that arrives at the user's and at the app's address counts once."""
    await deliver(process, created(), ada)

    assert (await deliver(process, created(), None)).result == DUPLICATE


async def test_the_event_of_an_unconnected_host_is_stored_and_ignored(
    product: Product, process: Process
) -> None:
    """A delivery for a host who is not connected is kept and answered well."""
    await product.connect("bob")

    ingested = await deliver(process, created(), None)

    (row,) = events(product)
    assert not ingested.applied
    assert (row.status, row.reason) == ("ignored", "nobodys_event")
    assert row.event.user_id is None


async def test_two_hosts_of_one_event_both_have_the_booking(
    product: Product, process: Process, ada: Integration
) -> None:
    """An event that two connected users host is a booking of either."""
    bob = await product.connect("bob")
    memberships = [
        {"user": uri, "user_email": "host@example.com", "user_name": "Host"}
        for uri in (bodies.USER, bob.account.user_uri)
    ]
    body = created(scheduled_event=bodies.event(event_memberships=memberships))

    ingested = await deliver(process, body, None)

    (row,) = events(product)
    assert ingested.applied
    assert row.event.integration_id is None
    owners = {each.user_id for each in product.storage.state.bookings.values()}
    assert owners == {ada.user_id, bob.user_id}


async def test_a_booking_invalidates_the_cached_availability(
    product: Product, process: Process, ada: Integration
) -> None:
    """A delivery that changes bookings invalidates busy times in the same commit."""
    await process.sync(ada.id)
    commits = product.storage.commits

    await deliver(process, created(), ada)

    async with product.storage() as uow:
        busy = await uow.availability.read(ada.user_id, CacheKind.BUSY)
        offered = await uow.availability.read(ada.user_id, CacheKind.EVENT_TYPES)
    assert busy is not None
    assert offered is not None
    assert (busy.invalidated_at, busy.invalidated_by) == (NOON, "invitee.created")
    assert offered.invalidated_at is None
    assert product.storage.commits == commits + 1


async def test_a_changed_event_type_invalidates_it_too(
    product: Product, process: Process, ada: Integration
) -> None:
    """A changed event type invalidates event types and slots, and changes no booking."""
    await deliver(process, bodies.webhook("event_type.updated", bodies.event_type()), ada)

    assert product.storage.state.integrations[ada.id].invalidated == {
        "event_types": (NOON, "event_type.updated")
    }
    assert statuses(product) == []
