import asyncio
from datetime import timedelta

import msgspec
import pytest

from application.webhooks.ensure_subscription import CREATED, KEPT, KEPT_FAILING, REPLACED
from domain.errors import (
    CalendlyConflict,
    CalendlyForbidden,
    CalendlyUnavailable,
    IntegrationNotFound,
)
from domain.ids import IntegrationId
from domain.integration import Gap, Integration
from domain.subscription import USER_EVENTS, ActualSubscription, owner_of
from tests.application.support.building import Product
from tests.application.support.process import CALLBACK_BASE, SIGNING_KEY, Process
from tests.fakes.clock import NOON

HOUR = timedelta(hours=1)


@pytest.fixture
async def ada(product: Product) -> Integration:
    """A connected user without a subscription."""
    return await product.connect()


def actual(product: Product) -> list[ActualSubscription]:
    """Return Calendly's subscriptions, oldest first."""
    return [each for _, each in product.calendly.subscriptions.values()]


async def test_a_subscription_is_created(
    product: Product, process: Process, ada: Integration
) -> None:
    """A new integration gets one subscription, under an address of its own, to all we take in."""
    assert await process.ensure(ada.id) == CREATED

    (made,) = actual(product)
    stored = (await product.stored(ada.id)).subscription
    assert stored is not None
    assert made.callback_url == f"{CALLBACK_BASE}/{stored.key}"
    assert owner_of(stored.key) == ada.id
    assert (stored.uri, stored.state) == (made.uri, "active")
    assert made.events == USER_EVENTS
    assert product.telemetry.seen["subscription_checked", CREATED] == 1


async def test_a_good_one_is_kept(product: Product, process: Process, ada: Integration) -> None:
    """While all is well nothing is changed on either side."""
    await process.ensure(ada.id)
    before, commits = actual(product), product.storage.commits

    assert await process.ensure(ada.id) == KEPT

    assert actual(product) == before
    assert product.storage.commits == commits


async def test_failing_deliveries_are_counted_early(
    product: Product, process: Process, ada: Integration
) -> None:
    """A subscription whose deliveries fail is kept, and counted apart before it is disabled."""
    await process.ensure(ada.id)
    (made,) = actual(product)
    product.calendly.change_subscription(
        made.uri, state="active", retry_started_at="2026-11-22T08:00:00.000000Z"
    )

    assert await process.ensure(ada.id) == KEPT_FAILING

    assert [each.uri for each in actual(product)] == [made.uri]
    assert product.telemetry.seen["subscription_checked", KEPT_FAILING] == 1


async def test_after_a_move_the_old_address_is_given_up(
    product: Product, process: Process, ada: Integration
) -> None:
    """When our public address changed, the subscription at the old one does not stay behind."""
    await process.ensure_at("https://old.example/hooks")(ada.id)

    assert await process.ensure(ada.id) == REPLACED

    (made,) = actual(product)
    assert made.callback_url.startswith(CALLBACK_BASE)
    stored = (await product.stored(ada.id)).subscription
    assert stored is not None
    assert stored.uri == made.uri


async def test_a_disabled_one_is_replaced_new_first(
    product: Product, process: Process, ada: Integration
) -> None:
    """The new subscription is there before the disabled one goes, so that no event is missed."""
    await process.ensure(ada.id)
    (old,) = actual(product)
    product.calendly.change_subscription(old.uri, state="disabled")
    hold = product.calendly.hold_next("delete")
    task = asyncio.create_task(process.ensure(ada.id))
    await hold.reached.wait()

    overlap = actual(product)
    hold.release()

    assert await task == REPLACED
    assert [each.state for each in overlap] == ["disabled", "active"]
    (new,) = actual(product)
    assert new.uri != old.uri
    assert new.callback_url != old.callback_url
    stored = (await product.stored(ada.id)).subscription
    assert stored is not None
    assert stored.uri == new.uri


async def test_an_interrupted_replacement_is_finished(
    product: Product, process: Process, ada: Integration
) -> None:
    """When the old one could not be deleted, the next run does it and keeps the new one."""
    await process.ensure(ada.id)
    (old,) = actual(product)
    product.calendly.change_subscription(old.uri, state="disabled")
    product.calendly.fail_next("delete", CalendlyUnavailable("down"), times=3)
    with pytest.raises(CalendlyUnavailable):
        await process.ensure(ada.id)
    new = actual(product)[1]

    assert await process.ensure(ada.id) == KEPT
    assert actual(product) == [new]


async def test_one_that_lacks_a_kind_is_replaced(
    product: Product, process: Process, ada: Integration
) -> None:
    """A subscription made by an older version is replaced by one to all that is needed."""
    await process.ensure(ada.id)
    (old,) = actual(product)
    product.calendly.subscriptions[old.uri] = (
        ada.account.user_uri,
        msgspec.structs.replace(old, events=USER_EVENTS[:2]),
    )

    assert await process.ensure(ada.id) == REPLACED
    assert [each.events for each in actual(product)] == [USER_EVENTS]


async def test_others_are_never_touched(
    product: Product, process: Process, ada: Integration
) -> None:
    """A subscription that another product made for the same user stays."""
    access = product.calendly.access(ada.account.user_uri)
    other = await product.calendly.create(
        access, ada.account, "https://elsewhere.example/hook", ("invitee.created",), SIGNING_KEY
    )

    assert await process.ensure(ada.id) == CREATED
    assert other in actual(product)


async def test_a_taken_address_is_not_insisted_on(
    product: Product, process: Process, ada: Integration
) -> None:
    """When Calendly says that the address exists, another one is used."""
    product.calendly.fail_next("create", CalendlyConflict("exists"))

    assert await process.ensure(ada.id) == CREATED
    assert len(actual(product)) == 1


async def test_a_repeated_conflict_is_raised(
    product: Product, process: Process, ada: Integration
) -> None:
    """A second conflict is raised."""
    product.calendly.fail_next("create", CalendlyConflict("exists"), times=2)

    with pytest.raises(CalendlyConflict):
        await process.ensure(ada.id)

    assert product.telemetry.seen["subscription_checked", "calendly_conflict"] == 1


async def test_a_plan_without_webhooks_is_counted(
    product: Product, process: Process, ada: Integration
) -> None:
    """When the user's plan has no webhooks that is counted by its reason."""
    product.calendly.fail_next("create", CalendlyForbidden("upgrade"))

    with pytest.raises(CalendlyForbidden):
        await process.ensure(ada.id)

    assert product.telemetry.seen["subscription_checked", "calendly_forbidden"] == 1
    assert (await product.stored(ada.id)).subscription is None


async def test_a_created_one_that_was_not_remembered_is_replaced(
    product: Product, process: Process, ada: Integration
) -> None:
    """A subscription that was made just before a crash is replaced by one that is known."""
    hold = product.calendly.hold_next("create")
    task = asyncio.create_task(process.ensure(ada.id))
    await hold.reached.wait()
    product.storage.fail_next_commit()
    hold.release()
    with pytest.raises(Exception, match="commit was lost"):
        await task

    assert await process.ensure(ada.id) == REPLACED
    (made,) = actual(product)
    stored = (await product.stored(ada.id)).subscription
    assert stored is not None
    assert stored.uri == made.uri


async def test_an_absent_integration_is_not_found(product: Product, process: Process) -> None:
    """There is nothing to subscribe for an integration that does not exist."""
    with pytest.raises(IntegrationNotFound):
        await process.ensure(IntegrationId(product.randomness.new_id()))


async def test_what_a_disabled_one_may_have_lost_is_remembered(
    product: Product, process: Process, ada: Integration
) -> None:
    """The gap reaches from the last time that deliveries were well to the new subscription."""
    await process.ensure(ada.id)
    product.clock.advance(HOUR)
    await process.ensure(ada.id)
    (old,) = actual(product)
    product.clock.advance(HOUR)
    product.calendly.change_subscription(
        old.uri, state="active", retry_started_at="2026-11-22T13:30:00.000000Z"
    )
    assert await process.ensure(ada.id) == KEPT_FAILING
    product.calendly.change_subscription(old.uri, state="disabled")
    product.clock.advance(HOUR)

    assert await process.ensure(ada.id) == REPLACED

    stored = await product.stored(ada.id)
    assert stored.gap == Gap(since=NOON + HOUR, until=NOON + 3 * HOUR)
    assert product.telemetry.seen["subscription_replaced", "disabled", NOON + HOUR] == 1


async def test_a_first_subscription_leaves_no_gap(
    product: Product, process: Process, ada: Integration
) -> None:
    """Where nothing was ever delivered the back-fill after connecting brings it all."""
    await process.ensure(ada.id)

    assert (await product.stored(ada.id)).gap is None


async def test_a_lost_row_leaves_a_gap(
    product: Product, process: Process, ada: Integration
) -> None:
    """An integration that forgot its subscription is compared from its last comparison on."""
    async with product.storage() as uow:
        await uow.integrations.put_reconciled(ada.id, NOON)
        await uow.commit()
    product.clock.advance(HOUR)

    await process.ensure(ada.id)

    assert (await product.stored(ada.id)).gap == Gap(since=NOON, until=NOON + HOUR)


async def test_a_fresh_one_that_is_not_listed_yet_is_kept(
    product: Product, process: Process, ada: Integration
) -> None:
    """Calendly's list lagging behind leads to no second subscription."""
    await process.ensure(ada.id)
    (made,) = actual(product)
    product.calendly.unlisted.add(made.uri)

    assert await process.ensure(ada.id) == KEPT

    assert actual(product) == [made]


async def test_a_deleted_subscription_is_replaced(
    product: Product, process: Process, ada: Integration
) -> None:
    """A subscription that is gone at Calendly is replaced, and what it lost is remembered."""
    await process.ensure(ada.id)
    product.calendly.subscriptions.clear()
    product.clock.advance(HOUR)

    assert await process.ensure(ada.id) == REPLACED

    assert len(actual(product)) == 1
    assert (await product.stored(ada.id)).gap == Gap(since=NOON, until=NOON + HOUR)
    assert product.telemetry.seen["subscription_replaced", "missing", NOON] == 1


async def test_a_gap_survives_a_replacement_that_breaks_off(
    product: Product, process: Process, ada: Integration
) -> None:
    """A crash after the new subscription is stored does not lose the gap of the old one."""
    await process.ensure(ada.id)
    (old,) = actual(product)
    product.calendly.change_subscription(old.uri, state="disabled")
    product.clock.advance(HOUR)
    product.calendly.fail_next("delete", CalendlyUnavailable("down"), times=3)
    with pytest.raises(CalendlyUnavailable):
        await process.ensure(ada.id)

    assert (await product.stored(ada.id)).gap == Gap(since=NOON, until=NOON + HOUR)
