"""What a lock that somebody holds costs: the one delivery its effect for a while, nobody else."""

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


def hold(product: Product, times: int) -> None:
    """Let so many openings of the store meet somebody's lock."""
    product.storage.fail_next(*[StorageContended("Held.")] * times)


async def test_a_group_that_met_a_lock_is_stored_singly(
    product: Product, process: Process, ada: Integration
) -> None:
    """A lock that is free again by the second look costs a delivery nothing but time."""
    hold(product, 1)

    ingested = await deliver(process, created(), ada)

    assert (ingested.result, ingested.applied) == (STORED, True)
    assert statuses(product) == [BookingStatus.BOOKED]


async def test_what_meets_a_lock_alone_is_stored_unapplied(
    product: Product, process: Process, ada: Integration
) -> None:
    """A delivery to an integration that somebody holds is answered well, and applied later."""
    hold(product, 2)

    ingested = await deliver(process, created(), ada)
    await product.background.settle()

    (row,) = events(product)
    assert ingested == IngestResult(STORED, row.event.id, reason=UNAPPLIED)
    assert (row.status, row.event.integration_id) == ("pending", ada.id)
    assert product.jobs.started == ["apply-calendly-webhooks"]
    assert product.telemetry.seen["webhook_apply_failed", "StorageContended"] == 1
    assert (await process.apply(10, lambda _: None)).done == {"applied": 1}
    assert statuses(product) == [BookingStatus.BOOKED]


async def test_of_an_integration_that_is_held_whole_the_event_is_its_users(
    product: Product, process: Process, ada: Integration
) -> None:
    """While not even its row may be referred to, an event is kept, and finds its way later."""
    hold(product, 3)

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
    """What was delivered for an account that is gone has no effect on the one in its place."""
    hold(product, 3)
    await deliver(process, created(scheduled_event=elsewhere()), ada)
    async with product.storage() as uow:
        await uow.integrations.mark_disconnecting(ada.id)
        await uow.commit()
    other = await product.connect("ada")
    assert other.id != ada.id

    job_result = await process.apply(10, lambda _: None)

    assert job_result.done == {"nobodys_event": 1}
    assert statuses(product) == []


async def test_what_nothing_helps_is_turned_away(
    product: Product, process: Process, ada: Integration
) -> None:
    """Only when not even the event can be stored is a delivery refused, for Calendly to repeat."""
    hold(product, 4)

    with pytest.raises(StorageContended):
        await deliver(process, created(), ada)

    assert events(product) == []
    assert product.telemetry.seen["webhook_received", "unavailable"] == 1


async def test_while_whole_tables_are_held_nobody_waits_in_vain(
    product: Product, process: Process, ada: Integration
) -> None:
    """Once nothing at all could be stored, who meets a lock is turned away at once, for a while."""
    hold(product, 4)
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
    """While one integration is held its deliveries go past the group, where nobody waits."""
    await connect(product, "bob")
    hold(product, 2)
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
    hold(product, 2)
    first = await deliver(process, created(), None)
    product.clock.advance(FORGOTTEN_AFTER)

    by_group = await deliver(process, created(), None)
    by_address = await deliver(process, created(), ada)

    assert (first.result, first.applied) == (STORED, False)
    assert (by_group.result, by_address.result) == (DUPLICATE, DUPLICATE)
    assert [row.event.integration_id for row in events(product)] == [ada.id]


async def test_a_held_leftover_is_come_back_to(
    product: Product, process: Process, ada: Integration
) -> None:
    """An event whose integration is held when its turn comes is tried again, uncounted."""
    hold(product, 2)
    await deliver(process, created(), ada)
    product.storage.fail_next(None, StorageContended("Held."), StorageContended("Held."))

    job_result = await process.apply(10, lambda _: None)

    assert job_result.failed == {"storage_contended": 1}
    assert [(row.status, row.event.attempts) for row in events(product)] == [("pending", 0)]


def elsewhere() -> dict[str, object]:
    """Return an event whose host is nobody here."""
    return bodies.event(event_memberships=[])


def delivery(to: Integration | None, *accounts: str) -> Delivery:
    """Return a delivery that says nothing."""
    webhook = ParsedWebhook(kind="invitee.created", occurred_at=NOON, account_uris=accounts)
    return Delivery(b"{}", webhook, to.id if to else None, NOON)


async def test_what_was_met_is_forgotten(ada: Integration) -> None:
    """After a rest it is looked at again, and after a while without deliveries it is like new."""
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


async def test_app_wide_deliveries_share_the_lane_of_their_hosts(ada: Integration) -> None:
    """What is told of the same hosts meets the same locks, whatever else it tells."""
    assert queue_key(delivery(None, "a", "b")) == queue_key(delivery(None, "a", "b"))
    assert queue_key(delivery(None, "a")) != queue_key(delivery(None, "b"))
    assert queue_key(delivery(ada, "a")) == queue_key(delivery(ada, "b"))
