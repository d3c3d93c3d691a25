from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from application.ports.storage.availability_cache import CacheEntry, CacheKind
from application.ports.storage.booking_commands import BookingCommand, Operation
from application.ports.storage.unit_of_work import Storage
from application.ports.storage.webhook_events import NewEvent, WebhookEvent
from domain.circuit_breaker import Breaker, BreakerState
from domain.errors import ConnectStateInvalid
from domain.ids import CommandId, IntegrationId, UserId, WebhookEventId
from domain.integration import (
    Attention,
    Cause,
    Gap,
    Integration,
    Recovery,
    Status,
    Subscription,
)
from domain.reconcile_order import Place
from tests import samples
from tests.contracts.persistence.test_webhook_events import claim, store
from tests.contracts.persistence.world import World
from tests.fakes.clock import NOON
from tests.refresh_records import finish

MINUTE = timedelta(minutes=1)


def event(world: World, key: str, **changes: Any) -> WebhookEvent:
    """Return a webhook that came at noon."""
    return WebhookEvent(
        id=WebhookEventId(world.randomness.new_id()),
        dedupe_key=key,
        kind="invitee.created",
        body=b"{}",
        received_at=NOON,
        occurred_at=NOON,
        **changes,
    )


def command(world: World, owner: Integration) -> BookingCommand:
    """Return the command that a user gives under the same key every time."""
    return BookingCommand(
        id=CommandId(world.randomness.new_id()),
        user_id=owner.user_id,
        key="key",
        operation=Operation.BOOK,
        fingerprint=b"f" * 32,
        started_at=NOON,
        lease_until=NOON + MINUTE,
    )


async def test_subscribed_since(storage: Storage, world: World, ada: Integration) -> None:
    """The first healthy subscription is remembered, regardless of its later state."""
    moments = (None, NOON, NOON + MINUTE)
    seen: list[object] = []
    for number, moment in enumerate(moments):
        made = Subscription(key=f"key-{number}", healthy_at=moment)
        async with storage() as uow:
            await uow.integrations.put_subscription(ada.id, made)
            await uow.commit()
        seen.append((await world.now(ada.id)).subscribed_since)
    async with storage() as uow:
        await uow.integrations.put_subscription(ada.id, None)
        await uow.integrations.put_connected(replace(ada, connected_at=NOON + MINUTE))
        await uow.commit()

    assert [*seen, (await world.now(ada.id)).subscribed_since] == [None, NOON, NOON, NOON]


async def test_reads_back_everything(storage: Storage, world: World) -> None:
    """An integration is read back with every field as it was stored, by id and by user."""
    made = await world.connect(
        "ada",
        status=Status.REAUTH_REQUIRED,
        tokens=None,
        breaker=Breaker(
            BreakerState.OPEN, 5, NOON, 2, NOON + MINUTE, (NOON - MINUTE, NOON), NOON + 2 * MINUTE
        ),
        subscription=Subscription(
            key="k-1", uri="https://api.calendly.com/w/1", state="active", healthy_at=NOON
        ),
        attention=Attention(cause=Cause.GRANT_REFUSED, since=NOON),
        exchange_started_at=NOON,
        last_error_code="grant_refused",
        recovery=Recovery(cause=Cause.REFRESH_OUTCOME_LOST, at=NOON - MINUTE),
    )

    async with storage() as uow:
        assert await uow.integrations.get(made.id) == made
        assert await uow.integrations.for_user(made.user_id) == made
        assert await uow.integrations.for_user(made.user_id, lock=True) == made


async def test_absent(storage: Storage, world: World) -> None:
    """Nothing is found for an unknown id, nor for a user without an integration."""
    user_id = await world.user("grace")

    async with storage() as uow:
        assert await uow.integrations.get(IntegrationId(world.randomness.new_id())) is None
        assert await uow.integrations.for_user(user_id) is None
        assert await uow.integrations.for_user(user_id, lock=True) is None


async def test_reconnect(storage: Storage, world: World, ada: Integration) -> None:
    """A reconnect takes the new grant over and keeps the id, the subscription and the past."""
    subscription = Subscription(key="k-1", uri="https://api.calendly.com/w/1", state="active")
    async with storage() as uow:
        await uow.integrations.put_subscription(ada.id, subscription)
        await uow.integrations.put_reconciled(ada.id, NOON)
        await uow.commit()
    again = samples.integration(
        IntegrationId(world.randomness.new_id()),
        ada.user_id,
        scopes=("users:read",),
        connected_at=NOON + MINUTE,
        tokens=samples.tokens(version=7),
        recovery=Recovery(cause=Cause.GRANT_REFUSED, at=NOON + MINUTE),
    )

    async with storage() as uow:
        await uow.integrations.put_connected(again)
        await uow.commit()

    expected = replace(again, id=ada.id, subscription=subscription, reconciled_at=NOON)
    assert await world.now(ada.id) == expected


async def test_reconnect_ends_leases(storage: Storage, ada: Integration) -> None:
    """A refresher of the old grant changes nothing after a reconnect, and the lease is free."""
    async with storage() as uow:
        taken = await uow.refresh_queue.take(ada.id, "old", NOON, NOON + MINUTE)
        assert await uow.sync_queue.take(ada.id, "old", NOON, NOON + MINUTE)
        await uow.commit()
    assert taken is not None
    again = replace(ada, tokens=samples.tokens(version=1), connected_at=NOON + MINUTE)
    async with storage() as uow:
        await uow.integrations.put_connected(again)
        await uow.commit()

    async with storage() as uow:
        late = replace(taken[0], tokens=samples.tokens(version=2))
        assert not await finish(uow, late, taken[1], expected_version=1, next_attempt_at=None)
        fresh = await uow.refresh_queue.take(ada.id, "new", NOON, NOON + MINUTE)
        assert fresh is not None
        assert fresh[1].fence > taken[1].fence
        assert await uow.sync_queue.take(ada.id, "new", NOON, NOON + MINUTE)


async def test_reconnect_is_due(storage: Storage, ada: Integration) -> None:
    """A reconnect makes the sync due immediately and clears the postponed refresh."""
    async with storage() as uow:
        taken = await uow.refresh_queue.take(ada.id, "one", NOON, NOON + MINUTE)
        assert taken is not None
        far = NOON + timedelta(days=9)
        await finish(uow, ada, taken[1], expected_version=1, next_attempt_at=far)
        await uow.sync_queue.take(ada.id, "one", NOON, NOON + MINUTE)
        await uow.sync_queue.finish(ada.id, "one", synced_at=NOON, due_at=far)
        await uow.integrations.put_connected(ada)
        await uow.commit()

    async with storage() as uow:
        due = await uow.refresh_queue.claim_due(
            "two", NOON, NOON + MINUTE, NOON + timedelta(hours=3), 5
        )
        syncs = await uow.sync_queue.claim_due("two", NOON, NOON + MINUTE, 5)

    assert [each.id for each, _ in due] == [ada.id]
    assert [each.id for each in syncs] == [ada.id]


async def test_unknown_user(storage: Storage, world: World) -> None:
    """An integration of a user that does not exist is refused."""
    stranger = samples.integration(
        IntegrationId(world.randomness.new_id()), UserId(world.randomness.new_id())
    )

    async with storage() as uow:
        with pytest.raises(ConnectStateInvalid):
            await uow.integrations.put_connected(stranger)


async def test_disconnecting(storage: Storage, world: World, ada: Integration) -> None:
    """No job and no other caller takes an integration that is being disconnected."""
    async with storage() as uow:
        await uow.integrations.mark_disconnecting(ada.id)
        await uow.integrations.mark_disconnecting(IntegrationId(world.randomness.new_id()))
        await uow.commit()

    later, until, horizon = NOON + MINUTE, NOON + 2 * MINUTE, NOON + timedelta(days=1)
    async with storage() as uow:
        assert await uow.refresh_queue.take(ada.id, "me", later, until) is None
        assert await uow.refresh_queue.claim_due("me", later, until, horizon, 5) == []
        assert not await uow.sync_queue.take(ada.id, "me", later, until)
        assert await uow.sync_queue.claim_due("me", later, until, 5) == []
        assert await uow.integrations.live_after(None, 5) == []
    assert await world.now(ada.id) == replace(ada, status=Status.DISCONNECTING)


async def test_leaving_forgets_the_cache(storage: Storage, world: World, ada: Integration) -> None:
    """An account that leaves has nothing cached any more, and a sync under way adds nothing."""
    grace = await world.connect("grace")
    part = CacheEntry(kind=CacheKind.BUSY, key="", content=b"[]", fetched_at=NOON)
    async with storage() as uow:
        for each in (ada, grace):
            await uow.availability.put(each.user_id, each.id, [part])
        assert await uow.sync_queue.take(ada.id, "me", NOON, NOON + MINUTE)
        await uow.integrations.mark_disconnecting(ada.id)
        await uow.commit()

    async with storage() as uow:
        assert await uow.availability.read(ada.user_id, CacheKind.BUSY) is None
        assert await uow.availability.read(grace.user_id, CacheKind.BUSY) == part
        assert not await uow.sync_queue.finish(ada.id, "me", synced_at=NOON, due_at=NOON)


async def test_a_neighbour(storage: Storage, world: World, ada: Integration) -> None:
    """Beside an integration that is leaving its user may have one that stays, and it is the one."""
    async with storage() as uow:
        await uow.integrations.mark_disconnecting(ada.id)
        assert await uow.integrations.for_user(ada.user_id) == replace(
            ada, status=Status.DISCONNECTING
        )
        await uow.commit()
    new = await world.connect("ada", tokens=samples.tokens(version=1))
    again = replace(new, connected_at=NOON + MINUTE)
    async with storage() as uow:
        await uow.integrations.put_connected(again)
        await uow.commit()

    async with storage() as uow:
        assert await uow.integrations.for_user(ada.user_id) == again
        assert await uow.integrations.for_user(ada.user_id, lock=True) == again
        assert [each.id for each in await uow.integrations.disconnecting(5)] == [ada.id]
        assert await uow.integrations.live_after(None, 5) == [again]
        await uow.integrations.mark_disconnecting(new.id)
        latest = await uow.integrations.for_user(ada.user_id)
    assert latest == replace(again, status=Status.DISCONNECTING)


async def test_erasing_spares_the_neighbour(
    storage: Storage, world: World, ada: Integration
) -> None:
    """Erasing an account takes nothing of the one that took its place."""
    (mine,) = await world.book(ada, samples.facts("A"))
    async with storage() as uow:
        await uow.integrations.mark_disconnecting(ada.id)
        await uow.commit()
    new = await world.connect("ada")
    (kept,) = await world.book(new, samples.facts("N"))
    of_new = event(world, "new", integration_id=new.id, user_id=new.user_id)
    fetched_at = NOON + MINUTE  # after what is left of the old one came
    part = CacheEntry(kind=CacheKind.BUSY, key="", content=b"[]", fetched_at=fetched_at)
    async with storage() as uow:
        await uow.availability.put(new.user_id, new.id, [part])
        await uow.webhook_events.store([NewEvent(of_new)])
        await uow.webhook_events.store(
            [NewEvent(event(world, "old", integration_id=ada.id, user_id=ada.user_id))]
        )
        for key, booking in (("old", mine), ("new", kept)):
            opened, _ = await uow.booking_commands.open(replace(command(world, new), key=key))
            await uow.booking_commands.finish(opened, booking.id, NOON)
        await uow.commit()

    async with storage() as uow:
        assert await uow.integrations.erase(ada.id) is not None
        await uow.commit()

    async with storage() as uow:
        assert await uow.integrations.for_user(ada.user_id) == new
        assert await uow.availability.read(new.user_id, CacheKind.BUSY) == part
        assert await uow.bookings.find(new.user_id, kept.id) == kept
        assert await uow.webhook_events.claim_pending(NOON, NOON + MINUTE, 5) == [of_new]
        repeated = replace(command(world, new), key="new")
        assert (await uow.booking_commands.open(repeated))[0].booking_id == kept.id
        assert (await uow.booking_commands.open(replace(repeated, key="old")))[1] is True


async def test_what_may_be_the_neighbour_s_stays(
    storage: Storage, world: World, ada: Integration
) -> None:
    """A webhook that was stored for the user alone goes with the last of the user's accounts."""
    async with storage() as uow:
        await uow.integrations.mark_disconnecting(ada.id)
        await uow.commit()
    new = await world.connect("ada")
    unlinked = event(world, "unlinked", user_id=ada.user_id)
    await store(storage, unlinked)

    async with storage() as uow:
        await uow.integrations.erase(ada.id)
        await uow.commit()

    assert await claim(storage) == [unlinked]
    async with storage() as uow:
        await uow.integrations.erase(new.id)
        await uow.commit()
    assert await claim(storage, NOON + 2 * MINUTE) == []


async def test_subscription(storage: Storage, world: World, ada: Integration) -> None:
    """The subscription is set and taken away without touching anything else."""
    planned = Subscription(key="k-2")
    async with storage() as uow:
        await uow.integrations.put_subscription(ada.id, planned)
        await uow.commit()
    assert await world.now(ada.id) == replace(ada, subscription=planned)

    async with storage() as uow:
        await uow.integrations.put_subscription(ada.id, None)
        await uow.commit()
    assert await world.now(ada.id) == ada


async def test_pause(storage: Storage, world: World, ada: Integration) -> None:
    """A user's calls wait until the latest time of any process, and no other user's do."""
    grace = await world.connect("grace")
    late, early = NOON + 2 * MINUTE, NOON + MINUTE
    async with storage() as uow:
        await uow.integrations.put_calls_paused(ada.id, late)
        await uow.integrations.put_calls_paused(IntegrationId(world.randomness.new_id()), late)
        await uow.commit()
    assert await world.now(ada.id) == replace(ada, calls_paused_until=late)

    async with storage() as uow:
        await uow.integrations.put_calls_paused(ada.id, early)
        await uow.commit()

    assert await world.now(ada.id) == replace(ada, calls_paused_until=late)
    assert await world.now(grace.id) == grace


async def test_erase(storage: Storage, world: World, ada: Integration) -> None:
    """Erasing deletes cache, bookings, webhook events and commands, and no other user's."""
    grace = await world.connect("grace")
    (mine,) = await world.book(ada, samples.facts("A"))
    (hers,) = await world.book(grace, samples.facts("G"))
    gone = event(world, "one", integration_id=ada.id, user_id=ada.user_id)
    unlinked = event(world, "two", user_id=ada.user_id)
    other = event(world, "three", integration_id=grace.id, user_id=grace.user_id)
    part = CacheEntry(kind=CacheKind.BUSY, key="", content=b"[]", fetched_at=NOON)
    async with storage() as uow:
        await uow.availability.put(ada.user_id, ada.id, [part])
        for each in (gone, unlinked, other):
            await uow.webhook_events.store([NewEvent(each)])
        for owner in (ada, grace):
            await uow.booking_commands.open(command(world, owner))
        await uow.commit()

    async with storage() as uow:
        assert await uow.integrations.erase(ada.id) == ada
        assert await uow.integrations.erase(ada.id) is None
        await uow.commit()

    async with storage() as uow:
        assert await uow.integrations.for_user(ada.user_id) is None
        assert await uow.availability.read(ada.user_id, CacheKind.BUSY) is None
        assert await uow.bookings.find(ada.user_id, mine.id) is None
        assert await uow.bookings.find(grace.user_id, hers.id) == hers
        assert await uow.webhook_events.claim_pending(NOON, NOON + MINUTE, 5) == [other]
        assert (await uow.booking_commands.open(command(world, ada)))[1] is True
        assert (await uow.booking_commands.open(command(world, grace)))[1] is False


async def test_erase_on_second_thoughts(storage: Storage, world: World, ada: Integration) -> None:
    """An erasure without a commit has erased nothing."""
    (mine,) = await world.book(ada, samples.facts("A"))

    async with storage() as uow:
        await uow.integrations.erase(ada.id)

    assert await world.now(ada.id) == ada
    async with storage() as uow:
        assert await uow.bookings.find(ada.user_id, mine.id) == mine


async def test_list_disconnecting(storage: Storage, world: World) -> None:
    """Those that are being disconnected are listed by ascending id, up to the limit."""
    made = [await world.connect(f"user-{number}") for number in range(4)]
    async with storage() as uow:
        for each in made[1:]:
            await uow.integrations.mark_disconnecting(each.id)
        await uow.commit()

    async with storage() as uow:
        found = await uow.integrations.disconnecting(2)

    assert [each.id for each in found] == [each.id for each in made[1:3]]


async def test_live_after(storage: Storage, world: World) -> None:
    """A sweep sees every active integration once, by ascending id, in pages."""
    made = [await world.connect(f"user-{number}") for number in range(5)]
    await world.connect("gone", status=Status.REAUTH_REQUIRED, tokens=None)

    async with storage() as uow:
        first = await uow.integrations.live_after(None, 3)
        rest = await uow.integrations.live_after(first[-1].id, 3)
        end = await uow.integrations.live_after(rest[-1].id, 3)

    assert [*first, *rest] == made
    assert end == []


async def test_by_accounts(storage: Storage, world: World, ada: Integration) -> None:
    """Integrations are found by their Calendly users; one Calendly user may have several."""
    grace = await world.connect("grace", account=ada.account)
    linus = await world.connect("linus")
    await world.connect("other")

    async with storage() as uow:
        found = await uow.integrations.by_accounts(
            [linus.account.user_uri, "https://api.calendly.com/users/NOBODY", ada.account.user_uri]
        )
        nobody = await uow.integrations.by_accounts([])

    assert list(found) == [ada, grace, linus]
    assert list(nobody) == []


async def test_a_gap_grows_until_it_is_made_up_for(storage: Storage, world: World) -> None:
    """Two gaps in the deliveries are one to make up for, and stay open until that was done."""
    ada = await world.connect("ada")
    later, earlier = Gap(NOON, NOON + 2 * MINUTE), Gap(NOON - MINUTE, NOON + MINUTE)
    both = Gap(NOON - MINUTE, NOON + 2 * MINUTE)

    async with storage() as uow:
        await uow.integrations.put_gap(ada.id, later)
        await uow.integrations.put_gap(ada.id, earlier)
        await uow.integrations.put_reconciled(ada.id, NOON, closes=later)
        await uow.commit()
    async with storage() as uow:
        still_open = await uow.integrations.get(ada.id)
        await uow.integrations.put_reconciled(ada.id, NOON + MINUTE, closes=both)
        closed = await uow.integrations.get(ada.id)

    assert still_open == replace(ada, gap=both, reconciled_at=NOON)
    assert closed == replace(ada, reconciled_at=NOON + MINUTE)


async def test_a_comparison_without_a_gap_closes_none(storage: Storage, world: World) -> None:
    """A gap that opened while bookings were compared is left for the next comparison."""
    ada = await world.connect("ada")

    async with storage() as uow:
        await uow.integrations.put_gap(ada.id, Gap(NOON, NOON))
        await uow.integrations.put_reconciled(ada.id, NOON)
        found = await uow.integrations.get(ada.id)

    assert found is not None
    assert found.gap == Gap(NOON, NOON)


async def test_only_unfinished_ones_are_walked_through(storage: Storage, world: World) -> None:
    """The walk through gaps and unfinished comparisons goes page by page, without others."""
    made = [await world.connect(f"user-{number}") for number in range(6)]
    async with storage() as uow:
        for each in made[1:4]:
            await uow.integrations.put_gap(each.id, Gap(NOON, NOON))
        await uow.integrations.mark_disconnecting(made[2].id)
        await uow.integrations.put_unreconciled(made[4].id, "unfinished", NOON)
        await uow.commit()
    ids = [made[number].id for number in (1, 3, 4)]
    begin = Place(NOON)

    async with storage() as uow:
        first = await uow.integrations.to_reconcile(begin, 2, only_unfinished=True)
        place = Place(NOON, first[-1].id)
        second = await uow.integrations.to_reconcile(place, 2, only_unfinished=True)

    assert [each.id for each in (*first, *second)] == sorted(ids)
    assert len(first) == 2


async def test_the_least_recently_compared_come_first(storage: Storage, world: World) -> None:
    """A walk takes those that were never compared, then the oldest, and none twice."""
    made = [await world.connect(f"user-{number}") for number in range(5)]
    async with storage() as uow:
        await uow.integrations.put_reconciled(made[0].id, NOON - MINUTE)
        await uow.integrations.put_reconciled(made[1].id, NOON - 2 * MINUTE)
        await uow.integrations.put_reconciled(made[2].id, NOON - MINUTE)
        await uow.integrations.put_reconciled(made[3].id, NOON)
        await uow.commit()
    taken: list[IntegrationId] = []
    place = Place(NOON)
    async with storage() as uow:
        while page := await uow.integrations.to_reconcile(place, 1):
            taken += [each.id for each in page]
            place = Place.read(Place(NOON, page[-1].id, page[-1].reconciled_at).written(), NOON)
        oldest = await uow.integrations.oldest_reconciled()

    same_age = sorted([made[0].id, made[2].id])
    assert taken == [made[4].id, made[1].id, *same_age]
    assert oldest == min(made[4].connected_at, NOON - 2 * MINUTE)


async def test_the_place_of_a_comparison(storage: Storage, world: World) -> None:
    """It stays until the comparison ends, unless a gap opens that the comparison does not know."""
    ada = await world.connect("ada")
    async with storage() as uow:
        await uow.integrations.put_unreconciled(ada.id, "unfinished", NOON)
        await uow.commit()
    async with storage() as uow:
        found = await uow.integrations.get(ada.id)
        assert found == replace(ada, reconcile_from=NOON, reconcile_error="unfinished")
        await uow.integrations.put_gap(ada.id, Gap(NOON, NOON))
        found = await uow.integrations.get(ada.id)
        assert found is not None
        assert found.reconcile_from is None
        await uow.integrations.put_unreconciled(ada.id, "unfinished", NOON)
        found = await uow.integrations.get(ada.id)
        assert found is not None
        assert found.reconcile_from is None
        await uow.integrations.put_unreconciled(ada.id, "unfinished", NOON, Gap(NOON, NOON))
        found = await uow.integrations.get(ada.id)
        assert found is not None
        assert found.reconcile_from == NOON
        await uow.integrations.put_reconciled(ada.id, NOON, Gap(NOON, NOON), "internal")
        found = await uow.integrations.get(ada.id)
        await uow.commit()

    assert found == replace(ada, reconciled_at=NOON, reconcile_error="internal")


async def test_repairs_add_up(storage: Storage, world: World) -> None:
    """The total of lost webhooks is returned with the time of the latest."""
    ada = await world.connect("ada")

    async with storage() as uow:
        await uow.integrations.add_repairs(ada.id, 2, NOON)
        await uow.integrations.add_repairs(ada.id, 3, NOON + MINUTE)
        await uow.commit()
    async with storage() as uow:
        found = await uow.integrations.get(ada.id)

    assert found == replace(ada, repaired_count=5, last_repaired_at=NOON + MINUTE)


async def test_connecting_again_keeps_what_is_known_of_lost_webhooks(
    storage: Storage, world: World
) -> None:
    """Neither an open gap nor the count of repairs is forgotten when a user connects again."""
    ada = await world.connect("ada")
    async with storage() as uow:
        await uow.integrations.put_gap(ada.id, Gap(NOON, NOON))
        await uow.integrations.add_repairs(ada.id, 1, NOON)
        await uow.integrations.put_connected(ada)
        found = await uow.integrations.get(ada.id)

    assert found is not None
    assert (found.gap, found.repaired_count) == (Gap(NOON, NOON), 1)
    assert found.last_repaired_at == NOON
