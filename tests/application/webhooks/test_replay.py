import pytest

from application.ports.storage.webhook_archive import WebhookQuery, WebhookStatus
from domain.audit import Actor
from domain.errors import WebhookEventNotFound
from domain.ids import WebhookEventId
from domain.integration import Integration
from tests.application.support.building import Product
from tests.application.support.delivering import connect, created, deliver
from tests.application.support.process import Process
from tests.application.webhooks.test_apply_pending import leave, row
from tests.fakes.clock import NOON

CLI = Actor("cli")


@pytest.fixture
async def ada(product: Product) -> Integration:
    """A connected user."""
    return await connect(product)


async def dead_letter(product: Product, body: bytes, reason: str = "unexpected") -> WebhookEventId:
    """Leave an event that was given up."""
    event_id = await leave(product, body)
    async with product.storage() as uow:
        await uow.webhook_events.failed(event_id, reason, None)
        await uow.commit()
    return event_id


@pytest.mark.usefixtures("ada")
async def test_a_replayed_dead_letter_has_its_effect(product: Product, process: Process) -> None:
    """A replayed dead letter is applied immediately, and its attempts count from zero."""
    event_id = await dead_letter(product, created())

    seen = await process.replay_webhook(event_id, CLI)
    await process.apply(10, lambda _: None)

    assert (seen.status, seen.attempts, seen.replays) == (WebhookStatus.PENDING, 0, 1)
    assert (seen.replayed_at, seen.replayed_by) == (NOON, "cli")
    assert product.jobs.started == ["apply-calendly-webhooks"]
    assert row(product, event_id).status == "applied"
    assert len(product.storage.state.bookings) == 1


async def test_replaying_what_was_applied_changes_nothing(
    product: Product, process: Process, ada: Integration
) -> None:
    """Any number of replays of an applied event leaves the bookings unchanged."""
    ingested = await deliver(process, created(), ada)
    assert ingested.event_id is not None
    before = dict(product.storage.state.bookings)

    for _ in range(3):
        await process.replay_webhook(ingested.event_id, CLI)
        await process.apply(10, lambda _: None)

    shown = await process.show_webhook(ingested.event_id)
    assert product.storage.state.bookings == before
    assert (shown.webhook.status, shown.webhook.replays) == (WebhookStatus.APPLIED, 3)


@pytest.mark.usefixtures("ada")
async def test_without_the_engine_the_schedule_takes_it_up(
    product: Product, process: Process
) -> None:
    """A replay holds while Temporal is down."""
    event_id = await dead_letter(product, created())
    product.jobs.down = True

    seen = await process.replay_webhook(event_id, CLI)

    assert seen.status is WebhookStatus.PENDING
    assert (await process.apply(10, lambda _: None)).done == {"applied": 1}


async def test_an_unknown_event_is_an_error(product: Product, process: Process) -> None:
    """Showing or replaying what is not there is an error, and starts nothing."""
    unknown = WebhookEventId(product.randomness.new_id())

    with pytest.raises(WebhookEventNotFound):
        await process.replay_webhook(unknown, CLI)
    with pytest.raises(WebhookEventNotFound):
        await process.show_webhook(unknown, with_body=True)
    assert product.jobs.started == []


async def test_many_dead_letters_go_back_together(product: Product, process: Process) -> None:
    """All dead letters with a reason go back, beyond one page, and the job is started once."""
    for number in range(501):
        await dead_letter(product, created(number), "unexpected")
    kept = await dead_letter(product, created(999), "webhook_malformed")

    count = await process.replay_webhook.dead_letters(CLI, "unexpected")

    assert count == 501
    assert row(product, kept).status == "dead_lettered"
    assert product.jobs.started == ["apply-calendly-webhooks"]


async def test_no_dead_letter_starts_nothing(product: Product, process: Process) -> None:
    """Without a dead letter there is nothing to start."""
    assert await process.replay_webhook.dead_letters(CLI) == 0
    assert product.jobs.started == []


async def test_a_list_says_where_to_go_on(product: Product, process: Process) -> None:
    """A page that is not the last names its end, and a full last page does not."""
    ids = [await leave(product, created(number)) for number in range(4)]

    first = await process.list_webhooks(WebhookQuery(limit=2))
    last = await process.list_webhooks(WebhookQuery(limit=2, after=first.next))

    assert [each.id for each in (*first.items, *last.items)] == ids[::-1]
    assert (first.next, last.next) == (ids[2], None)


async def test_a_body_is_shown_without_links(process: Process, ada: Integration) -> None:
    """A body is shown only when asked for; what acts without a login is taken out of it."""
    ingested = await deliver(process, created(), ada)
    assert ingested.event_id is not None

    plain = await process.show_webhook(ingested.event_id)
    full = await process.show_webhook(ingested.event_id, with_body=True)

    assert plain.body is None
    assert full.body["payload"]["cancel_url"] == "[removed]"
    assert full.body["payload"]["email"] not in repr(full)
