from datetime import timedelta

import pytest
from msgspec.structs import replace

from application.jobs.job_result import JobResult
from application.ports.storage.availability_cache import CacheEntry, CacheKind
from application.ports.storage.webhook_events import NewEvent, WebhookEvent
from application.webhooks import apply as apply_webhook
from application.webhooks.apply_pending import CLAIMED_FOR
from domain import pending_webhooks as leftovers
from domain.errors import StorageUnavailable
from domain.ids import IntegrationId, UserId, WebhookEventId
from domain.integration import Integration
from domain.pending_webhooks import NEEDS_PERSON, UNEXPECTED
from tests.application.support.building import Product
from tests.application.support.delivering import connect, created
from tests.application.support.process import Process
from tests.fakes.calendly import bodies
from tests.fakes.clock import NOON
from tests.fakes.state import EventRow


@pytest.fixture
async def ada(product: Product) -> Integration:
    """A connected user."""
    return await connect(product)


async def leave(
    product: Product,
    body: bytes,
    integration_id: IntegrationId | None = None,
    user_id: UserId | None = None,
) -> WebhookEventId:
    """Leave an event in the inbox, stored but not applied."""
    event = WebhookEvent(
        id=WebhookEventId(product.randomness.new_id()),
        dedupe_key=str(product.randomness.new_id()),
        kind="invitee.created",
        body=body,
        received_at=product.clock.now(),
        occurred_at=product.clock.now(),
        integration_id=integration_id,
        user_id=user_id,
    )
    async with product.storage() as uow:
        await uow.webhook_events.store([NewEvent(event)])
        await uow.commit()
    return event.id


def row(product: Product, event_id: WebhookEventId) -> EventRow:
    """Return a stored event with its status."""
    return product.storage.state.webhook_events[event_id]


async def test_leftovers_are_applied(product: Product, process: Process, ada: Integration) -> None:
    """An event that was stored unapplied has its effect once the job takes it up."""
    event_id = await leave(product, created(), ada.id)

    job_result = await process.apply(10, lambda _: None)

    assert job_result == JobResult(examined=1, done={"applied": 1})
    assert row(product, event_id).status == "applied"
    assert len(product.storage.state.bookings) == 1
    assert product.telemetry.seen == {("webhook_applied", "invitee.created", "applied"): 1}


async def test_what_has_no_effect_is_ignored(product: Product, process: Process) -> None:
    """An event of a host who is not connected is settled with that reason."""
    event_id = await leave(product, created())

    job_result = await process.apply(10, lambda _: None)

    assert job_result.done == {"nobodys_event": 1}
    assert (row(product, event_id).status, row(product, event_id).reason) == (
        "ignored",
        "nobodys_event",
    )


async def test_an_event_of_an_account_that_left_is_ignored(
    product: Product, process: Process, ada: Integration
) -> None:
    """An event that was stored just after its integration was erased changes nothing."""
    async with product.storage() as uow:
        await uow.integrations.erase(ada.id)
        await uow.commit()
    await leave(product, created(), ada.id)

    assert (await process.apply(10, lambda _: None)).done == {"nobodys_event": 1}
    assert product.storage.state.bookings == {}


async def test_one_bad_event_does_not_stop_the_others(
    product: Product, process: Process, ada: Integration
) -> None:
    """An event that cannot be applied is counted by its reason while the others go on."""
    bad = await leave(product, b"not json", ada.id)
    await leave(product, created(), ada.id)

    job_result = await process.apply(10, lambda _: None)

    assert job_result == JobResult(
        examined=2, done={"applied": 1}, failed={"webhook_malformed": 1}
    )
    left = row(product, bad)
    assert (left.status, left.reason, left.event.attempts) == ("pending", "webhook_malformed", 1)
    assert left.next_attempt_at > NOON


async def test_a_failed_event_waits_longer_each_time(
    product: Product, process: Process, ada: Integration
) -> None:
    """Attempts have pauses between them, and never overlap."""
    event_id = await leave(product, b"not json", ada.id)
    waits: list[timedelta] = []
    for _ in range(NEEDS_PERSON.limit - 1):
        await process.apply(10, lambda _: None)
        assert (await process.apply(10, lambda _: None)).examined == 0
        waits.append(row(product, event_id).next_attempt_at - product.clock.now())
        product.clock.set(row(product, event_id).next_attempt_at)

    assert waits == sorted(waits)
    assert waits[0] >= 0.5 * NEEDS_PERSON.base
    assert waits[-1] <= NEEDS_PERSON.cap


async def test_what_never_works_is_a_dead_letter(
    product: Product, process: Process, ada: Integration
) -> None:
    """After four attempts an event that only a person can fix becomes a dead letter."""
    event_id = await leave(product, b"not json", ada.id)
    for _ in range(NEEDS_PERSON.limit):
        assert row(product, event_id).status == "pending"
        await process.apply(10, lambda _: None)
        product.clock.advance(NEEDS_PERSON.cap)

    left = row(product, event_id)
    assert (left.status, left.reason, left.event.attempts) == (
        "dead_lettered",
        "webhook_malformed",
        NEEDS_PERSON.limit,
    )
    counted = product.telemetry.seen
    assert counted["webhook_applied", "invitee.created", "webhook_malformed"] == 3
    assert counted["webhook_applied", "invitee.created", "dead_lettered"] == 1
    assert (await process.apply(10, lambda _: None)).examined == 0


async def test_an_event_that_is_given_up_invalidates_the_cache(
    product: Product, process: Process, ada: Integration
) -> None:
    """A waiting webhook invalidates a user's times; when it is given up, it does so once more."""
    busy = CacheEntry(kind=CacheKind.BUSY, key="", content=b"[]", fetched_at=NOON)
    async with product.storage() as uow:
        await uow.availability.put(ada.user_id, ada.id, [busy])
        await uow.commit()
    product.clock.advance(timedelta(minutes=1))
    await leave(product, b"not json", ada.id, ada.user_id)
    seen = []
    for _ in range(NEEDS_PERSON.limit):
        await process.apply(10, lambda _: None)
        async with product.storage() as uow:
            part = await uow.availability.read(ada.user_id, CacheKind.BUSY)
        assert part is not None
        seen.append(part.invalidated_by)
        product.clock.advance(NEEDS_PERSON.cap)

    assert seen == [*["webhook_pending"] * (NEEDS_PERSON.limit - 1), "invitee.created"]


async def test_what_stays_unreadable_is_a_dead_letter(
    product: Product, process: Process, ada: Integration
) -> None:
    """An unreadable payload becomes a dead letter with its reason, and its field is reported."""
    event_id = await leave(product, created(email=["x"]), ada.id)
    for _ in range(NEEDS_PERSON.limit):
        job_result = await process.apply(10, lambda _: None)
        product.clock.advance(NEEDS_PERSON.cap)

    left = row(product, event_id)
    assert job_result.failed == {"webhook_unreadable": 1}
    assert (left.status, left.reason) == ("dead_lettered", "webhook_unreadable")
    assert product.telemetry.places == {event_id: "payload.email"}


def fault(product: Product, event_id: WebhookEventId, code: str | None) -> None:
    """Make an event's body one that cannot be opened, or one that can again."""
    stored = row(product, event_id)
    product.storage.state.webhook_events[event_id] = replace(
        stored, event=replace(stored.event, fault=code)
    )


async def test_what_cannot_be_opened_is_a_dead_letter(
    product: Product, process: Process, ada: Integration
) -> None:
    """A body that was changed counts its attempts, waits longer each time and is set aside."""
    event_id = await leave(product, b"", ada.id)
    fault(product, event_id, "sealed_value_corrupt")
    for _ in range(NEEDS_PERSON.limit):
        await process.apply(10, lambda _: None)
        product.clock.advance(NEEDS_PERSON.cap)

    left = row(product, event_id)
    assert (left.status, left.reason) == ("dead_lettered", "sealed_value_corrupt")
    assert (
        product.telemetry.seen["webhook_apply_failed", "SealedValueUnreadable"]
        == NEEDS_PERSON.limit
    )


async def test_a_missing_key_is_waited_for(
    product: Product, process: Process, ada: Integration
) -> None:
    """An event with a missing key never becomes a dead letter; with the key it is applied."""
    event_id = await leave(product, created(), ada.id)
    fault(product, event_id, "encryption_key_unknown")
    for _ in range(3 * UNEXPECTED.limit):
        job_result = await process.apply(10, lambda _: None)
        assert job_result.failed == {"encryption_key_unknown": 1}
        product.clock.set(row(product, event_id).next_attempt_at)

    waiting = row(product, event_id)
    fault(product, event_id, None)
    await process.apply(10, lambda _: None)

    assert (waiting.status, waiting.reason) == ("pending", "encryption_key_unknown")
    assert waiting.event.attempts == 0
    assert row(product, event_id).status == "applied"


async def test_a_store_that_is_down_costs_no_attempt(
    product: Product, process: Process, ada: Integration
) -> None:
    """An event that failed because of our database is retried, and no attempt is counted."""
    event_id = await leave(product, created(), ada.id)

    for _ in range(2 * UNEXPECTED.limit):
        product.storage.fail_next(None, StorageUnavailable("PostgreSQL is away."))
        job_result = await process.apply(10, lambda _: None)
        product.clock.advance(CLAIMED_FOR)
    left = row(product, event_id)
    done = await process.apply(10, lambda _: None)

    assert job_result.failed == {"storage_unavailable": 1}
    assert (left.status, left.event.attempts) == ("pending", 0)
    assert done.done == {"applied": 1}


async def test_a_bug_gets_more_attempts(
    product: Product, process: Process, ada: Integration
) -> None:
    """An unexpected error is retried ten times over some hours, then makes a dead letter."""
    event_id = await leave(product, created(), ada.id)
    for _ in range(UNEXPECTED.limit):
        assert row(product, event_id).status == "pending"
        product.storage.fail_next(None, RuntimeError("a bug"))
        await process.apply(10, lambda _: None)
        product.clock.advance(UNEXPECTED.cap)

    assert (row(product, event_id).status, row(product, event_id).reason) == (
        "dead_lettered",
        "unexpected",
    )


def test_the_codes_are_the_ones_that_are_stored() -> None:
    """The rule knows an unreadable payload by the code under which it is stored."""
    assert leftovers.UNREADABLE == apply_webhook.UNREADABLE


async def test_a_bug_is_counted_as_such(
    product: Product, process: Process, ada: Integration
) -> None:
    """An error that is none of the service's own is counted as unexpected and tried again."""
    await leave(product, created(), ada.id)
    second = await leave(product, created(2), ada.id)

    def fail_the_next_commit(job_result: JobResult) -> None:
        if job_result.examined == 1:
            product.storage.fail_next_commit(RuntimeError("a bug"))

    job_result = await process.apply(10, fail_the_next_commit)

    assert job_result == JobResult(examined=2, done={"applied": 1}, failed={"unexpected": 1})
    assert row(product, second).reason == "unexpected"
    assert product.telemetry.seen["webhook_apply_failed", "RuntimeError"] == 1
    assert " in commit" in product.telemetry.places[second]


async def test_a_claimed_event_is_not_handed_out_twice(
    product: Product, process: Process, ada: Integration
) -> None:
    """An event claimed by one worker is skipped by another until the claim ends."""
    await leave(product, created(), ada.id)
    async with product.storage() as uow:
        await uow.webhook_events.claim_pending(NOON, NOON + CLAIMED_FOR, 10)
        await uow.commit()

    held = await process.apply(10, lambda _: None)
    product.clock.advance(CLAIMED_FOR)
    later = await process.apply(10, lambda _: None)

    assert (held.examined, later.examined) == (0, 1)


async def test_a_full_page_promises_more(
    product: Product, process: Process, ada: Integration
) -> None:
    """Pages follow each other until one is not full."""
    for number in range(3):
        await leave(product, created(number), ada.id)

    pages = [await process.apply(2, lambda _: None) for _ in range(2)]

    assert [(page.examined, page.more) for page in pages] == [(2, True), (1, False)]


async def test_applying_twice_changes_nothing(
    product: Product, process: Process, ada: Integration
) -> None:
    """Two events that say the same leave one booking, as it was."""
    await leave(product, created(), ada.id)
    await process.apply(10, lambda _: None)
    before = dict(product.storage.state.bookings)
    await leave(product, created(), ada.id)

    await process.apply(10, lambda _: None)

    assert product.storage.state.bookings == before


async def test_an_unknown_kind_waits_for_nothing(
    product: Product, process: Process, ada: Integration
) -> None:
    """An unknown kind is ignored immediately."""
    event_id = await leave(product, bodies.webhook("contact.created", {}), ada.id)

    await process.apply(10, lambda _: None)

    assert row(product, event_id).reason == "unknown_kind"
    assert product.telemetry.seen["unknown_webhook_stored", "contact.created"] == 1
