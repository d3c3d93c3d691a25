"""A lock delays only the effect of the delivery that needs it."""

import pytest

from application.webhooks.delivery import DUPLICATE, STORED, UNAPPLIED, Delivery, IngestResult
from application.webhooks.lock_contention import BACKOFF, FORGOTTEN_AFTER, Contention, queue_key
from domain.booking import BookingStatus
from domain.errors import StorageContended
from domain.integration import Integration
from domain.webhook import ParsedWebhook
from tests.application.support.building import Product
from tests.application.support.delivering import connect, created, deliver, events, statuses
from tests.application.support.process import Process
from tests.fakes.calendly import bodies
from tests.fakes.clock import NOON, FakeClock


@pytest.fixture
async def ada(product: Product) -> Integration:
    """A connected user."""
    return await connect(product)


def lock(product: Product, times: int) -> None:
    """Let the next units of work meet a lock."""
    product.storage.fail_next(*[StorageContended("Held.")] * times)


async def test_a_group_that_met_a_lock_is_stored_singly(
    product: Product, process: Process, ada: Integration
) -> None:
    """If a lock is free at the second attempt, the delivery is applied."""
    lock(product, 1)

    ingested = await deliver(process, created(), ada)

    assert (ingested.result, ingested.applied) == (STORED, True)
    assert statuses(product) == [BookingStatus.BOOKED]


async def test_a_single_delivery_that_meets_a_lock_is_stored_unapplied(
    product: Product, process: Process, ada: Integration
) -> None:
    """A delivery to a locked integration is accepted, and applied later."""
    lock(product, 2)

    ingested = await deliver(process, created(), ada)
    await product.background.settle()

    (row,) = events(product)
    assert ingested == IngestResult(STORED, row.event.id, reason=UNAPPLIED)
    assert (row.status, row.event.integration_id) == ("pending", ada.id)
    assert product.jobs.started == ["apply-calendly-webhooks"]
    assert product.telemetry.seen["webhook_apply_failed", "StorageContended"] == 1
    assert (await process.apply(10, lambda _: None)).done == {"applied": 1}
    assert statuses(product) == [BookingStatus.BOOKED]


async def test_an_event_of_a_locked_row_refers_to_its_user(
    product: Product, process: Process, ada: Integration
) -> None:
    """While not even its row may be referred to, an event is kept, and finds its way later."""
    lock(product, 3)

    ingested = await deliver(process, created(), ada)

    (row,) = events(product)
    assert ingested.result == STORED
    assert (row.event.integration_id, row.event.user_id) == (None, ada.user_id)
    assert (await deliver(process, created(), ada)).result == DUPLICATE
    assert (await process.apply(10, lambda _: None)).done == {"applied": 1}
    assert statuses(product) == [BookingStatus.BOOKED]


async def test_an_event_of_its_user_alone_never_reaches_another_account(
    product: Product, process: Process, ada: Integration
) -> None:
    """A delivery for a removed account has no effect on the account that replaced it."""
    lock(product, 3)
    await deliver(process, created(scheduled_event=elsewhere()), ada)
    async with product.storage() as uow:
        await uow.integrations.mark_disconnecting(ada.id)
        await uow.commit()
    other = await product.connect("ada")
    assert other.id != ada.id

    job_result = await process.apply(10, lambda _: None)

    assert job_result.done == {"nobodys_event": 1}
    assert statuses(product) == []


async def test_a_delivery_that_cannot_be_stored_is_refused(
    product: Product, process: Process, ada: Integration
) -> None:
    """Only when not even the event can be stored is a delivery refused, for Calendly to repeat."""
    lock(product, 4)

    with pytest.raises(StorageContended):
        await deliver(process, created(), ada)

    assert events(product) == []
    assert product.telemetry.seen["webhook_received", "unavailable"] == 1


async def test_while_whole_tables_are_locked_deliveries_are_refused_immediately(
    product: Product, process: Process, ada: Integration
) -> None:
    """After no event could be stored, further deliveries are refused immediately during the backoff."""
    lock(product, 4)
    with pytest.raises(StorageContended):
        await deliver(process, created(), ada)

    with pytest.raises(StorageContended) as refusal:
        await deliver(process, created(), ada)

    assert refusal.value.retry_after
    product.clock.advance(BACKOFF)
    assert (await deliver(process, created(), ada)).applied


async def test_others_go_on_in_the_group(
    product: Product, process: Process, ada: Integration
) -> None:
    """While one integration is locked, its deliveries bypass the group and do not delay it."""
    await connect(product, "bob")
    lock(product, 2)
    await deliver(process, created(), ada)
    commits = product.storage.commits

    held = await deliver(process, created(2), ada)

    assert held.reason == UNAPPLIED
    assert product.storage.commits == commits + 1
    product.clock.advance(BACKOFF)
    assert (await deliver(process, created(3), ada)).applied
    assert not process.contention.is_locked(delivery(ada))


async def test_an_app_wide_event_is_one_whichever_way_it_is_stored(
    product: Product, process: Process, ada: Integration
) -> None:
    """Stored unapplied, then delivered again to the group or to its user's address, it is one."""
    lock(product, 2)
    first = await deliver(process, created(), None)
    product.clock.advance(FORGOTTEN_AFTER)

    by_group = await deliver(process, created(), None)
    by_address = await deliver(process, created(), ada)

    assert (first.result, first.applied) == (STORED, False)
    assert (by_group.result, by_address.result) == (DUPLICATE, DUPLICATE)
    assert [row.event.integration_id for row in events(product)] == [ada.id]


async def test_a_pending_event_that_meets_a_lock_is_retried(
    product: Product, process: Process, ada: Integration
) -> None:
    """An event whose integration is held when its turn comes is tried again, uncounted."""
    lock(product, 2)
    await deliver(process, created(), ada)
    product.storage.fail_next(None, StorageContended("Held."), StorageContended("Held."))

    job_result = await process.apply(10, lambda _: None)

    assert job_result.failed == {"storage_contended": 1}
    assert [(row.status, row.event.attempts) for row in events(product)] == [("pending", 0)]


def elsewhere() -> dict[str, object]:
    """Return an event without hosts."""
    return bodies.event(event_memberships=[])


def delivery(to: Integration | None, *accounts: str) -> Delivery:
    """Return a delivery that says nothing."""
    webhook = ParsedWebhook(kind="invitee.created", occurred_at=NOON, account_uris=accounts)
    return Delivery(b"{}", webhook, to.id if to else None, NOON)


async def test_a_lock_is_forgotten(ada: Integration) -> None:
    """After the backoff it is tried again, and after a minute without deliveries it is forgotten."""
    clock = FakeClock()
    contention = Contention(clock)
    contention.locked(delivery(ada))

    assert contention.is_backing_off(delivery(ada))
    assert not contention.is_backing_off(delivery(None, "somebody"))
    clock.advance(BACKOFF)
    assert contention.is_locked(delivery(ada))
    assert not contention.is_backing_off(delivery(ada))
    clock.advance(FORGOTTEN_AFTER)
    assert not contention.is_locked(delivery(ada))


async def test_app_wide_deliveries_share_the_queue_key_of_their_hosts(ada: Integration) -> None:
    """Deliveries about the same hosts need the same locks, so they share a queue key."""
    assert queue_key(delivery(None, "a", "b")) == queue_key(delivery(None, "a", "b"))
    assert queue_key(delivery(None, "a")) != queue_key(delivery(None, "b"))
    assert queue_key(delivery(ada, "a")) == queue_key(delivery(ada, "b"))
