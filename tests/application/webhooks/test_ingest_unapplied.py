import asyncio
from itertools import count

import pytest

from application.webhooks.delivery import DUPLICATE, STORED, UNAPPLIED, IngestResult
from domain.booking import BookingStatus
from domain.errors import (
    StorageUnavailable,
)
from domain.integration import Integration
from tests.application.support import delivering
from tests.application.support.building import Product
from tests.application.support.delivering import (
    connect,
    created,
    deliver,
    events,
    statuses,
)
from tests.application.support.process import Process


@pytest.fixture
async def ada(product: Product) -> Integration:
    """A connected user."""
    return await connect(product)


def break_applying(product: Product) -> None:
    """Let the next delivery's commit fail for a bug of ours, in its group and then alone."""
    product.storage.fail_next_commit(RuntimeError("a bug"))
    product.storage.fail_next_commit(RuntimeError("a bug"))


async def test_a_lost_commit_stores_nothing_at_all(
    product: Product, process: Process, ada: Integration
) -> None:
    """Without the commit there is no event, no booking, no invalidation, and no good answer."""
    product.storage.fail_next_commit()

    with pytest.raises(StorageUnavailable):
        await deliver(process, created(), ada)

    assert (events(product), statuses(product)) == ([], [])
    assert product.storage.state.integrations[ada.id].invalidated_at is None
    assert (await deliver(process, created(), ada)).result == STORED


async def test_what_cannot_be_applied_is_stored_nevertheless(
    product: Product, process: Process, ada: Integration
) -> None:
    """A bug of ours costs no event: it is stored, answered well, and applied later."""
    break_applying(product)

    ingested = await deliver(process, created(), ada)
    await product.background.settle()

    (row,) = events(product)
    assert ingested == IngestResult(STORED, row.event.id, applied=False, reason=UNAPPLIED)
    assert (row.status, row.event.integration_id) == ("pending", ada.id)
    assert statuses(product) == []
    assert product.jobs.started == ["apply-calendly-webhooks"]
    assert product.telemetry.seen["webhook_applied", "invitee.created", "unapplied"] == 1
    assert product.telemetry.seen["webhook_apply_failed", "RuntimeError"] == 1
    assert " in commit" in product.telemetry.places[row.event.id]
    assert "a bug" not in product.telemetry.places[row.event.id]
    job_result = await process.apply(10, lambda _: None)
    assert job_result.done == {"applied": 1}
    assert statuses(product) == [BookingStatus.BOOKED]


async def test_what_its_group_cost_it_is_made_good_alone(
    product: Product, process: Process, ada: Integration
) -> None:
    """A delivery whose group could not be stored is stored and applied by itself."""
    product.storage.fail_next_commit(RuntimeError("a bug"))

    ingested = await deliver(process, created(), ada)

    (row,) = events(product)
    assert ingested == IngestResult(STORED, row.event.id, applied=True)
    assert statuses(product) == [BookingStatus.BOOKED]
    assert product.jobs.started == []


async def test_without_the_engine_it_is_stored_all_the_same(
    product: Product, process: Process, ada: Integration
) -> None:
    """When Temporal is down the schedule will take the event up once it is back."""
    product.jobs.down = True
    break_applying(product)

    ingested = await deliver(process, created(), ada)
    await product.background.settle()

    assert ingested.result == STORED
    assert [row.status for row in events(product)] == ["pending"]


async def test_an_app_wide_event_that_cannot_be_applied_finds_its_host_later(
    product: Product, process: Process, ada: Integration
) -> None:
    """An event of the app's address that was stored unapplied reaches its host with the job."""
    break_applying(product)
    await deliver(process, created(), None)
    await product.background.settle()

    await process.apply(10, lambda _: None)

    assert [each.user_id for each in product.storage.state.bookings.values()] == [ada.user_id]


async def test_a_repeated_delivery_of_a_stored_one_is_a_duplicate(
    product: Product, process: Process, ada: Integration
) -> None:
    """A pending event is not stored again when it is delivered again."""
    break_applying(product)
    await deliver(process, created(), ada)
    await product.background.settle()

    assert (await deliver(process, created(), ada)).result == DUPLICATE
    assert len(events(product)) == 1


async def test_a_commit_that_only_seemed_to_fail_stores_no_second_event(
    product: Product, process: Process, ada: Integration
) -> None:
    """An event whose commit went through unnoticed is recognised instead of stored twice."""
    product.storage.fail_next_commit(RuntimeError("a bug"), stored=True)

    ingested = await deliver(process, created(), ada)

    assert ingested.result == DUPLICATE
    assert [row.status for row in events(product)] == ["applied"]


async def test_a_delivery_may_die_anywhere() -> None:
    """A process may die at any step: the repeated delivery gives one event and one booking."""
    for step in count():
        product = Product()
        process = Process(product, "process-1")
        ada = await delivering.connect(product)
        product.steps.die_at(step)
        try:
            await deliver(process, created(), ada)
        except asyncio.CancelledError:
            await deliver(process, created(), ada)
            assert len(events(product)) == 1, product.steps.died_at
            assert statuses(product) == [BookingStatus.BOOKED], product.steps.died_at
        else:
            assert step == 3
            return
