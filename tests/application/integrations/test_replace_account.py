import asyncio

import pytest

from application.bookings.list_bookings import ListBookings
from application.integrations.finish_disconnect import ERASED, ERASED_UNREVOKED
from application.integrations.request_disconnect import RequestDisconnect
from application.ports.storage.availability_cache import CacheKind
from application.ports.storage.bookings import BookingQuery
from application.tokens.token_encryption import open_access
from domain.audit import Actor
from domain.errors import DisconnectInProgress, IntegrationNotFound, ReauthRequired
from domain.ids import IntegrationId
from domain.integration import Integration, Status
from tests.application.support import delivering
from tests.application.support.building import Product
from tests.application.support.connecting import Ended, Flow
from tests.application.support.late_answer import LateAnswer, slow_refresh
from tests.application.support.leasing import leased
from tests.application.support.process import Process


async def replace_by_another(product: Product, process: Process, old: Integration) -> Ended:
    """Let the user put an account that was never seen before in the old one's place."""
    other = product.calendly.add_user()
    flow = await Flow(product, process, other).begin(old.user_id, replace=True)
    return await flow.complete()


def new_id(outcome: Ended) -> IntegrationId:
    """Return the integration that a flow ended with."""
    assert outcome.integration_id is not None
    return outcome.integration_id


async def test_another_account_takes_the_place(product: Product, process: Process) -> None:
    """On request another account is connected while the old one is still being revoked."""
    old = await product.connect()

    outcome = await replace_by_another(product, process, old)

    new = await product.stored(new_id(outcome))
    assert (outcome.error, outcome.replaced, outcome.recovered) == (None, old.id, False)
    assert new.id != old.id
    assert (new.status, new.subscription) == (Status.ACTIVE, None)
    assert (await product.stored(old.id)).status is Status.DISCONNECTING
    assert product.jobs.started == [
        f"integration/{old.id}/disconnect",
        f"integration/{new.id}/onboard",
    ]
    assert product.telemetry.seen["integration_replaced", old.id, new.id] == 1


async def test_the_old_tokens_are_unusable_at_once(product: Product, process: Process) -> None:
    """From the replacement on no call is made with the old account's tokens."""
    old = await product.connect()
    await replace_by_another(product, process, old)

    with pytest.raises(IntegrationNotFound):
        await process.session.call(old.id, product.calendly.me)
    with pytest.raises(IntegrationNotFound):
        await process.refresh.run(old.id)
    assert product.calendly.calls["refresh"] == 0


async def test_the_job_erases_the_old_one_alone(product: Product, process: Process) -> None:
    """The disconnection revokes and erases the old account and leaves the new one as it is."""
    old = await product.connect()
    new = await product.stored(new_id(await replace_by_another(product, process, old)))

    assert await process.finish_disconnect(old.id, forced=False) == ERASED

    assert list(product.storage.state.integrations) == [new.id]
    assert await product.stored(new.id) == new
    assert [grant.revoked for grant in product.calendly.grants] == [True, False]


async def test_the_same_account_is_not_replaced(product: Product, process: Process) -> None:
    """A replacement flow in which the connected account consents just connects it again."""
    old = await product.connect()
    flow = await Flow(product, process, old.account).begin(old.user_id, replace=True)

    outcome = await flow.complete()

    assert (outcome.integration_id, outcome.replaced) == (old.id, None)
    assert (await product.stored(old.id)).status is Status.ACTIVE
    assert product.jobs.started == [f"integration/{old.id}/onboard"]


async def test_with_nothing_to_replace_it_is_a_first_connect(
    product: Product, process: Process
) -> None:
    """A user without an account who would replace one is simply connected."""
    user_id = await product.user()
    flow = await Flow(product, process, product.calendly.add_user()).begin(user_id, replace=True)

    outcome = await flow.complete()

    assert (outcome.error, outcome.replaced) == (None, None)


async def test_a_lost_account_is_replaced(product: Product, process: Process) -> None:
    """An account whose grant is gone is replaced as well; the missing revocation is reported."""
    old = await product.connect()
    product.calendly.revoke_grants(old.account.user_uri)
    with pytest.raises(ReauthRequired):
        await process.refresh.run(old.id)

    outcome = await replace_by_another(product, process, old)
    result = await process.finish_disconnect(old.id, forced=False)

    assert (outcome.replaced, outcome.recovered, result) == (old.id, False, ERASED_UNREVOKED)
    assert product.telemetry.seen["integration_disconnected", ERASED_UNREVOKED] == 1
    assert (await product.stored(new_id(outcome))).recovery is None


async def test_a_refresh_in_flight_is_revoked_too(product: Product, process: Process) -> None:
    """A pair that the old account gets while it is replaced is stored only to be revoked."""
    old = await product.connect()
    line = LateAnswer(product)
    taken = await leased(product, old.id)
    task = asyncio.create_task(slow_refresh(product, line).run(*taken))
    await line.processed.wait()
    outcome = await replace_by_another(product, process, old)
    line.release()
    await task

    late = await product.stored(old.id)
    assert late.tokens is not None
    assert (late.status, late.tokens.version) == (Status.DISCONNECTING, 2)
    assert await process.finish_disconnect(old.id, forced=False) == ERASED
    assert [grant.revoked for grant in product.calendly.grants] == [True, False]
    new = await product.stored(new_id(outcome))
    assert await product.calendly.me(open_access(product.vault, new)) == new.account


async def test_without_the_engine_the_sweep_ends_the_old_one(
    product: Product, process: Process
) -> None:
    """While Temporal is down an account is still replaced; the sweep starts the job."""
    old = await product.connect()
    product.jobs.down = True
    outcome = await replace_by_another(product, process, old)
    product.jobs.down = False

    await process.heal(None, 10, lambda _: None)

    assert outcome.error is None
    assert product.jobs.started == [f"integration/{old.id}/disconnect"]


async def test_a_lost_commit_replaces_too(product: Product, process: Process) -> None:
    """When the answer to the replacement is lost it counts, and the sweep ends the old one."""
    old = await product.connect()
    flow = await Flow(product, process, product.calendly.add_user()).begin(
        old.user_id, replace=True
    )
    hold = product.calendly.hold_next("me")
    task = asyncio.create_task(flow.complete())
    await hold.reached.wait()
    product.storage.fail_next_commit(stored=True)
    hold.release()

    outcome = await task
    await process.heal(None, 10, lambda _: None)

    assert outcome.error is None
    assert (await product.stored(new_id(outcome))).status is Status.ACTIVE
    assert f"integration/{old.id}/disconnect" in product.jobs.started


async def test_a_commit_that_failed_replaces_nothing(product: Product, process: Process) -> None:
    """When the replacement is not stored the old account goes on, and the new grant goes back."""
    old = await product.connect()
    flow = await Flow(product, process, product.calendly.add_user()).begin(
        old.user_id, replace=True
    )
    hold = product.calendly.hold_next("me")
    task = asyncio.create_task(flow.complete())
    await hold.reached.wait()
    product.storage.fail_next_commit()
    hold.release()

    outcome = await task

    assert outcome.error is not None
    assert await product.stored(old.id) == old
    assert [grant.revoked for grant in product.calendly.grants] == [False, True]
    assert product.jobs.started == []


async def test_of_two_replacements_the_later_stays(product: Product, process: Process) -> None:
    """Two accounts that replace one at the same moment leave one, and both others are ended."""
    old = await product.connect()
    outcomes = await asyncio.gather(*(replace_by_another(product, process, old) for _ in "ab"))

    statuses = {
        row.value.id: row.value.status for row in product.storage.state.integrations.values()
    }
    staying = [each for each, status in statuses.items() if status is Status.ACTIVE]
    replaced = {outcome.replaced for outcome in outcomes}
    assert [outcome.error for outcome in outcomes] == [None, None]
    assert len(statuses) == 3
    assert staying == list(set(statuses) - replaced)
    assert {f"integration/{each}/disconnect" for each in replaced} <= set(product.jobs.started)


async def test_going_back_waits_for_the_disconnection(product: Product, process: Process) -> None:
    """An account that was replaced can be connected again once it is erased, not before."""
    old = await product.connect()
    new = new_id(await replace_by_another(product, process, old))

    flow = await Flow(product, process, old.account).begin(old.user_id, replace=True)
    too_early = await flow.complete()
    await process.finish_disconnect(old.id, forced=False)
    flow = await Flow(product, process, old.account).begin(old.user_id, replace=True)
    back = await flow.complete()

    assert isinstance(too_early.error, DisconnectInProgress)
    assert (back.error, back.replaced) == (None, new)
    assert back.integration_id not in {old.id, new}


async def test_after_a_disconnect_another_account_connects_at_once(
    product: Product, process: Process
) -> None:
    """Another account does not wait for the one that its user disconnected before."""
    old = await product.connect()
    disconnect = RequestDisconnect(storage=product.storage, jobs=product.jobs, audit=process.audit)
    await disconnect(old.user_id, Actor("key:1"))
    flow = await Flow(product, process, product.calendly.add_user()).begin(old.user_id)

    outcome = await flow.complete()

    assert (outcome.error, outcome.replaced) == (None, None)
    assert (await product.stored(old.id)).status is Status.DISCONNECTING


async def test_what_was_cached_of_the_old_one_is_not_served(
    product: Product, process: Process
) -> None:
    """No caller is offered times of the account that was replaced."""
    old = await product.connect()
    await process.sync(old.id)
    async with product.storage() as uow:
        before = await uow.availability.read(old.user_id, CacheKind.EVENT_TYPES)

    await replace_by_another(product, process, old)

    async with product.storage() as uow:
        after = await uow.availability.read(old.user_id, CacheKind.EVENT_TYPES)
    assert before is not None
    assert after is None


async def test_a_late_webhook_stays_with_the_old_one(product: Product, process: Process) -> None:
    """Late deliveries for the old account are not among the new one's bookings."""
    old = await delivering.connect(product)
    new = new_id(await replace_by_another(product, process, old))

    ingested = await delivering.deliver(process, delivering.created(), old)
    app_wide = await delivering.deliver(process, delivering.created(2), None)

    page = await ListBookings(storage=product.storage)(old.user_id, BookingQuery(limit=9))
    assert (ingested.applied, app_wide.applied) == (True, True)
    assert {owner for owner, _ in product.storage.state.bookings} == {old.id}
    assert page.items == ()
    await process.finish_disconnect(old.id, forced=True)
    assert (product.storage.state.bookings, delivering.events(product)) == ({}, [])
    assert list(product.storage.state.integrations) == [new]
