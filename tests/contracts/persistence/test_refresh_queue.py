from datetime import timedelta

from msgspec.structs import replace

from application.ports.storage.refresh_queue import StartResult
from application.ports.storage.unit_of_work import Storage, UnitOfWork
from domain.circuit_breaker import Breaker
from domain.ids import IntegrationId
from domain.integration import (
    Cause,
    Integration,
    Lease,
    Recovery,
    Status,
    needs_person,
    refreshed,
)
from domain.token import LEFT_ALONE_FOR, TOKEN_REQUESTS
from tests import samples
from tests.contracts.persistence.world import World
from tests.fakes.clock import NOON
from tests.refresh_records import begin, finish

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
GRANTED, REFUSED = StartResult(granted=True), StartResult(granted=False)


async def take(storage: Storage, integration: Integration, owner: str = "me") -> Lease:
    """Take a lease at noon for a minute, committed."""
    async with storage() as uow:
        taken = await uow.refresh_queue.take(integration.id, owner, NOON, NOON + MINUTE)
        await uow.commit()
    assert taken is not None
    return taken[1]


async def take_over(storage: Storage, integration: Integration) -> Lease:
    """Take a lease that ran out, for an hour, committed."""
    async with storage() as uow:
        taken = await uow.refresh_queue.take(integration.id, "other", NOON + MINUTE, NOON + HOUR)
        await uow.commit()
    assert taken is not None
    return taken[1]


async def is_held(storage: Storage, integration: Integration) -> bool:
    """Whether a process holds the lease after two minutes."""
    async with storage() as uow:
        later = NOON + 2 * MINUTE
        taken = await uow.refresh_queue.take(integration.id, "third", later, later + MINUTE)
    return taken is None


def dead(integration: Integration) -> Integration:
    """Return the integration after a refusal."""
    return needs_person(integration, Cause.GRANT_REFUSED, NOON, code="grant_refused")


async def test_take(storage: Storage, ada: Integration) -> None:
    """`take` returns the stored integration and a lease with its owner and end."""
    async with storage() as uow:
        taken = await uow.refresh_queue.take(ada.id, "me", NOON, NOON + MINUTE)

    assert taken == (ada, Lease(owner="me", fence=1, expires_at=NOON + MINUTE))


async def test_one_holder(storage: Storage, ada: Integration) -> None:
    """While the lease is held no process gets it, not even its holder; from its end on any does."""
    first = await take(storage, ada)

    async with storage() as uow:
        almost = NOON + MINUTE - timedelta(microseconds=1)
        assert await uow.refresh_queue.take(ada.id, "other", almost, NOON + HOUR) is None
        assert await uow.refresh_queue.take(ada.id, "me", almost, NOON + HOUR) is None
        taken = await uow.refresh_queue.take(ada.id, "other", NOON + MINUTE, NOON + HOUR)
    assert taken is not None
    assert taken[1].fence > first.fence


async def test_only_active(storage: Storage, world: World) -> None:
    """No lease is given for an integration that is not active or not there."""
    dead = await world.connect("dead", status=Status.REAUTH_REQUIRED, tokens=None)

    async with storage() as uow:
        absent = IntegrationId(world.randomness.new_id())
        assert await uow.refresh_queue.take(dead.id, "me", NOON, NOON + MINUTE) is None
        assert await uow.refresh_queue.take(absent, "me", NOON, NOON + MINUTE) is None


async def test_disconnecting(storage: Storage, world: World, ada: Integration) -> None:
    """A disconnecting integration is leased and refreshed only for a caller that asks for one."""
    async with storage() as uow:
        assert (
            await uow.refresh_queue.take(ada.id, "me", NOON, NOON + MINUTE, disconnecting=True)
            is None
        )
        await uow.integrations.mark_disconnecting(ada.id)
        assert await uow.refresh_queue.take(ada.id, "me", NOON, NOON + MINUTE) is None
        taken = await uow.refresh_queue.take(ada.id, "me", NOON, NOON + MINUTE, disconnecting=True)
        await uow.commit()
    assert taken is not None
    found, lease = taken
    new = refreshed(found, samples.tokens(version=2), NOON)
    async with storage() as uow:
        assert await begin(uow, ada.id, lease, NOON, NOON + MINUTE) == GRANTED
        assert await finish(uow, new, lease, expected_version=1, next_attempt_at=None)
        await uow.commit()

    assert found.status is Status.DISCONNECTING
    assert lease == Lease("me", 1, NOON + MINUTE, disconnecting=True)
    assert await world.now(ada.id) == replace(new, status=Status.DISCONNECTING)


async def test_claim_order(storage: Storage, world: World) -> None:
    """A claim takes those whose token dies by the horizon, the soonest first, up to the limit."""
    lives = {"late": 50, "soon": 10, "middle": 30, "beyond": 61, "edge": 60}
    made = {
        name: await world.connect(name, tokens=samples.tokens(expires_at=NOON + minutes * MINUTE))
        for name, minutes in lives.items()
    }

    async with storage() as uow:
        first = await uow.refresh_queue.claim_due("me", NOON, NOON + MINUTE, NOON + HOUR, 3)
        rest = await uow.refresh_queue.claim_due("me", NOON, NOON + MINUTE, NOON + HOUR, 3)

    assert [each for each, _ in first] == [made["soon"], made["middle"], made["late"]]
    assert [each for each, _ in rest] == [made["edge"]]
    assert {lease for _, lease in first} == {Lease("me", 1, NOON + MINUTE)}


async def test_claim_passes_over(storage: Storage, world: World) -> None:
    """A claim skips leased, inactive and postponed integrations."""
    held = await world.connect("held")
    put_off = await world.connect("put off")
    await world.connect("dead", status=Status.REAUTH_REQUIRED, tokens=None)
    free = await world.connect("free")
    await take(storage, held)
    lease = await take(storage, put_off)
    async with storage() as uow:
        await finish(uow, put_off, lease, expected_version=1, next_attempt_at=NOON + HOUR)
        await uow.commit()

    async with storage() as uow:
        claimed = await uow.refresh_queue.claim_due(
            "other", NOON, NOON + MINUTE, NOON + 9 * HOUR, 9
        )
        later = await uow.refresh_queue.claim_due(
            "other", NOON + HOUR, NOON + 2 * HOUR, NOON + 9 * HOUR, 9
        )

    assert [each.id for each, _ in claimed] == [free.id]
    assert {each.id for each, _ in later} == {held.id, put_off.id, free.id}


async def test_claim_leaves_new_pairs_alone(storage: Storage, ada: Integration) -> None:
    """A pair that was just refreshed is not due again, at any horizon."""
    lease = await take(storage, ada)
    new = refreshed(ada, samples.tokens(version=2), NOON)
    far = NOON + 9 * HOUR

    async with storage() as uow:
        await finish(uow, new, lease, expected_version=1, next_attempt_at=None)
        almost, then = NOON + LEFT_ALONE_FOR - timedelta(microseconds=1), NOON + LEFT_ALONE_FOR
        early = await uow.refresh_queue.claim_due("me", almost, almost + MINUTE, far, 9)
        claimed = await uow.refresh_queue.claim_due("me", then, then + MINUTE, far, 9)

    assert early == []
    assert [each for each, _ in claimed] == [new]


async def test_a_postponed_integration_can_be_taken(storage: Storage, ada: Integration) -> None:
    """A call may take a postponed integration that the job has to skip."""
    lease = await take(storage, ada)

    async with storage() as uow:
        await finish(uow, ada, lease, expected_version=1, next_attempt_at=NOON + HOUR)
        assert await uow.refresh_queue.take(ada.id, "other", NOON, NOON + MINUTE) is not None


async def test_begin_exchange(storage: Storage, world: World, ada: Integration) -> None:
    """The start of an exchange is recorded, over an earlier one, and renews the lease."""
    lease = await take(storage, ada)

    async with storage() as uow:
        almost = NOON + MINUTE - timedelta(microseconds=1)
        assert await begin(uow, ada.id, lease, NOON, NOON + MINUTE) == GRANTED
        assert await begin(uow, ada.id, lease, almost, NOON + HOUR) == GRANTED
        await uow.commit()
    assert await world.now(ada.id) == replace(ada, exchange_started_at=almost)
    async with storage() as uow:
        late = NOON + HOUR - timedelta(microseconds=1)
        assert await uow.refresh_queue.take(ada.id, "other", late, NOON + 2 * HOUR) is None


async def test_requests_of_a_minute(storage: Storage, ada: Integration) -> None:
    """Token requests are counted a minute; one too many learns how long to wait."""
    lease = await take(storage, ada)

    async with storage() as uow:
        for second in range(TOKEN_REQUESTS):
            at = NOON + timedelta(seconds=second)
            start = await begin(uow, ada.id, lease, at, NOON + HOUR)
            assert start == GRANTED
        before = await world_of(uow, ada)
        full = await begin(uow, ada.id, lease, NOON + timedelta(seconds=20), NOON + HOUR)
        assert await world_of(uow, ada) == before
        again = await begin(uow, ada.id, lease, NOON + MINUTE, NOON + HOUR)

    assert full == StartResult(granted=False, wait=timedelta(seconds=40))
    assert again == GRANTED


async def world_of(uow: UnitOfWork, ada: Integration) -> Integration | None:
    """Read the integration within the unit of work."""
    return await uow.integrations.get(ada.id)


async def test_a_lease_can_be_kept(storage: Storage, ada: Integration) -> None:
    """An outcome may keep its lease, so that no other process begins before it expires."""
    lease = await take(storage, ada)
    async with storage() as uow:
        await finish(
            uow,
            ada,
            lease,
            expected_version=1,
            next_attempt_at=None,
            keep_lease_until=NOON + MINUTE,
        )
        await uow.commit()

    async with storage() as uow:
        early = await uow.refresh_queue.take(ada.id, "other", NOON, NOON + HOUR)
        late = await uow.refresh_queue.take(ada.id, "other", NOON + MINUTE, NOON + HOUR)

    assert early is None
    assert late is not None


async def test_a_kept_lease_is_distinguished_from_a_worked_one(
    storage: Storage, ada: Integration
) -> None:
    """A kept lease is recognised by its end; a lease under work is not one."""
    lease = await take(storage, ada)
    async with storage() as uow:
        worked = await uow.refresh_queue.paused_until(ada.id, NOON)
        await finish(
            uow,
            ada,
            lease,
            expected_version=1,
            next_attempt_at=NOON + MINUTE,
            keep_lease_until=NOON + MINUTE,
        )
        kept = await uow.refresh_queue.paused_until(ada.id, NOON)
        over = await uow.refresh_queue.paused_until(ada.id, NOON + MINUTE)
        await uow.commit()
    await take_over(storage, ada)
    async with storage() as uow:
        taken = await uow.refresh_queue.paused_until(ada.id, NOON + MINUTE)

    assert kept == NOON + MINUTE
    assert (worked, over, taken) == (None, None, None)


async def test_next_attempt(storage: Storage, world: World, ada: Integration) -> None:
    """Due integrations that wait are returned by their next attempt, or another process's lease."""
    horizon = samples.tokens().expires_at + HOUR
    bob = await world.connect("bob")
    async with storage() as uow:
        nothing = await uow.refresh_queue.next_attempt(NOON, horizon)
        held = await uow.refresh_queue.take(bob.id, "me", NOON, NOON + 3 * MINUTE)
        assert held is not None
        leased = await uow.refresh_queue.next_attempt(NOON, horizon)
        taken = await uow.refresh_queue.take(ada.id, "me", NOON, NOON + MINUTE)
        assert taken is not None
        await finish(uow, ada, taken[1], expected_version=1, next_attempt_at=NOON + 2 * MINUTE)
        waiting = await uow.refresh_queue.next_attempt(NOON, horizon)
        over = await uow.refresh_queue.next_attempt(NOON + 3 * MINUTE, horizon)
        not_due = await uow.refresh_queue.next_attempt(NOON, NOON)

    assert (nothing, leased, waiting) == (None, NOON + 3 * MINUTE, NOON + 2 * MINUTE)
    assert (over, not_due) == (None, None)


async def test_begin_after_the_end(storage: Storage, world: World, ada: Integration) -> None:
    """Nothing may be sent under an expired lease, even before another process takes it."""
    lease = await take(storage, ada)

    async with storage() as uow:
        late = await begin(uow, ada.id, lease, NOON + MINUTE, NOON + HOUR)
        assert late == REFUSED
        await uow.commit()
    assert await world.now(ada.id) == ada


async def test_begin_after_loss(storage: Storage, world: World, ada: Integration) -> None:
    """Nothing may be sent under a lease that was taken over, released, or ended by a disconnect."""
    old = await take(storage, ada)
    async with storage() as uow:
        taken = await uow.refresh_queue.take(ada.id, "other", NOON + MINUTE, NOON + HOUR)
        assert taken is not None
        assert await begin(uow, ada.id, old, NOON, NOON + HOUR) == REFUSED
        await uow.refresh_queue.release(ada.id, taken[1])
        assert await begin(uow, ada.id, taken[1], NOON, NOON + HOUR) == REFUSED
        last = await uow.refresh_queue.take(ada.id, "last", NOON + MINUTE, NOON + HOUR)
        assert last is not None
        await uow.integrations.mark_disconnecting(ada.id)
        assert await begin(uow, ada.id, last[1], NOON, NOON + HOUR) == REFUSED
        await uow.commit()

    assert (await world.now(ada.id)).exchange_started_at is None


async def test_finish_stores(storage: Storage, world: World, ada: Integration) -> None:
    """A refresh stores the new pair with scopes and organization, and frees the lease."""
    lease = await take(storage, ada)
    account = replace(ada.account, organization_uri="https://api.calendly.com/organizations/NEW")
    new = replace(ada, account=account, scopes=("users:read",), last_error_code="old")
    new = refreshed(new, samples.tokens(expires_at=NOON + 4 * HOUR, version=2), NOON)

    async with storage() as uow:
        await begin(uow, ada.id, lease, NOON, NOON + MINUTE)
        assert await finish(uow, new, lease, expected_version=1, next_attempt_at=None)
        await uow.commit()

    assert await world.now(ada.id) == new
    async with storage() as uow:
        assert await uow.refresh_queue.take(ada.id, "other", NOON, NOON + MINUTE) is not None


async def test_finish_refused(storage: Storage, world: World, ada: Integration) -> None:
    """A refusal erases the tokens and stores why a person is needed."""
    lease = await take(storage, ada)
    dead = needs_person(ada, Cause.GRANT_REFUSED, NOON, code="grant_refused")

    async with storage() as uow:
        assert await finish(uow, dead, lease, expected_version=1, next_attempt_at=None)
        await uow.commit()

    assert await world.now(ada.id) == dead


async def test_finish_failed(storage: Storage, world: World, ada: Integration) -> None:
    """A passing failure keeps the pair and stores breaker, error and the open exchange."""
    lease = await take(storage, ada)
    failed = replace(
        ada,
        breaker=Breaker(failures=1, failed_at=(NOON,), open_until=NOON + MINUTE),
        last_error_code="calendly_uncertain",
        exchange_started_at=NOON,
    )

    async with storage() as uow:
        assert await finish(uow, failed, lease, expected_version=1, next_attempt_at=NOON + MINUTE)
        await uow.commit()

    assert await world.now(ada.id) == failed


async def test_fenced_out(storage: Storage, world: World, ada: Integration) -> None:
    """Without the lease a failure or a refusal changes nothing and leaves the new lease alone."""
    old = await take(storage, ada)
    await take_over(storage, ada)

    for late in (replace(ada, last_error_code="late"), dead(ada)):
        async with storage() as uow:
            assert not await finish(uow, late, old, expected_version=1, next_attempt_at=None)
            await uow.refresh_queue.release(ada.id, old)
            await uow.commit()
    assert await world.now(ada.id) == ada
    assert await is_held(storage, ada)


async def test_a_pair_without_its_lease(storage: Storage, world: World, ada: Integration) -> None:
    """A new pair is stored although another process took the lease over; that process keeps it."""
    old = await take(storage, ada)
    lease = await take_over(storage, ada)
    new = refreshed(ada, samples.tokens(version=2), NOON)

    async with storage() as uow:
        await begin(uow, ada.id, lease, NOON + MINUTE, NOON + HOUR)
        assert await finish(uow, new, old, expected_version=1, next_attempt_at=None)
        await uow.commit()
    assert await world.now(ada.id) == new
    assert await is_held(storage, ada)
    async with storage() as uow:
        assert not await finish(uow, dead(ada), lease, expected_version=1, next_attempt_at=None)


async def test_a_pair_after_a_refusal(storage: Storage, world: World, ada: Integration) -> None:
    """A new pair revives an account that was given up because the pair was missing."""
    old = await take(storage, ada)
    lease = await take_over(storage, ada)
    new = refreshed(ada, samples.tokens(version=2), NOON)

    async with storage() as uow:
        await finish(uow, dead(ada), lease, expected_version=1, next_attempt_at=None)
        assert await finish(uow, new, old, expected_version=1, next_attempt_at=None)
        await uow.commit()
    recovery = Recovery(Cause.GRANT_REFUSED, NOON)
    assert await world.now(ada.id) == replace(new, recovery=recovery)


async def test_a_pair_after_another_owner(
    storage: Storage, world: World, ada: Integration
) -> None:
    """An account that was given up because its owner changed stays given up."""
    old = await take(storage, ada)
    lease = await take_over(storage, ada)
    stranger = needs_person(ada, Cause.OWNER_CHANGED, NOON, code="owner_changed")
    new = refreshed(ada, samples.tokens(version=2), NOON)

    async with storage() as uow:
        await finish(uow, stranger, lease, expected_version=1, next_attempt_at=None)
        assert not await finish(uow, new, old, expected_version=1, next_attempt_at=None)
        await uow.commit()
    assert await world.now(ada.id) == stranger


async def test_a_pair_of_an_older_grant(storage: Storage, world: World, ada: Integration) -> None:
    """A user who connected again keeps that grant, even at the version that was exchanged."""
    old = await take(storage, ada)
    anew = replace(ada, connected_at=NOON + MINUTE)
    new = refreshed(ada, samples.tokens(version=2), NOON)

    for standing in (anew, dead(anew)):
        async with storage() as uow:
            await uow.integrations.put_connected(standing)
            assert not await finish(uow, new, old, expected_version=1, next_attempt_at=None)
            await uow.commit()
        assert await world.now(ada.id) == standing


async def test_a_pair_of_a_lost_disconnect(
    storage: Storage, world: World, ada: Integration
) -> None:
    """A disconnect has read the tokens: a pair that comes without the lease is not stored."""
    old = await take(storage, ada)
    async with storage() as uow:
        await uow.integrations.mark_disconnecting(ada.id)
        await uow.refresh_queue.take(ada.id, "end", NOON + MINUTE, NOON + HOUR, disconnecting=True)
        await uow.commit()
    new = refreshed(ada, samples.tokens(version=2), NOON)

    async with storage() as uow:
        assert not await finish(uow, new, old, expected_version=1, next_attempt_at=None)
        await uow.commit()
    assert await world.now(ada.id) == replace(ada, status=Status.DISCONNECTING)


async def test_version_moved(storage: Storage, world: World, ada: Integration) -> None:
    """A pair that came from another version than the stored one is not stored."""
    lease = await take(storage, ada)

    async with storage() as uow:
        late = refreshed(ada, samples.tokens(version=1), NOON)
        assert not await finish(uow, late, lease, expected_version=0, next_attempt_at=None)
        await uow.commit()
    assert await world.now(ada.id) == ada


async def test_finish_of_disconnecting(storage: Storage, world: World, ada: Integration) -> None:
    """A disconnect that began during a refresh stays one, and gets the new pair to revoke."""
    lease = await take(storage, ada)
    async with storage() as uow:
        await uow.integrations.mark_disconnecting(ada.id)
        await uow.commit()
    new = refreshed(ada, samples.tokens(version=2), NOON)

    async with storage() as uow:
        assert await finish(uow, new, lease, expected_version=1, next_attempt_at=None)
        await uow.commit()

    assert await world.now(ada.id) == replace(new, status=Status.DISCONNECTING)


async def test_finish_keeps_the_rest(storage: Storage, world: World, ada: Integration) -> None:
    """Changes that others stored during a refresh are not undone by its outcome."""
    lease = await take(storage, ada)
    async with storage() as uow:
        await uow.integrations.put_reconciled(ada.id, NOON)
        await uow.sync_queue.take(ada.id, "sync", NOON, NOON + MINUTE)
        await uow.sync_queue.finish(ada.id, "sync", synced_at=NOON, due_at=NOON + HOUR)
        await uow.commit()
    new = refreshed(ada, samples.tokens(version=2), NOON)

    async with storage() as uow:
        await finish(uow, new, lease, expected_version=1, next_attempt_at=None)
        await uow.commit()

    expected = replace(new, reconciled_at=NOON, last_synced_at=NOON)
    assert await world.now(ada.id) == expected


async def test_release(storage: Storage, world: World, ada: Integration) -> None:
    """A released lease can be taken immediately, with a higher fencing number."""
    lease = await take(storage, ada)

    async with storage() as uow:
        await uow.refresh_queue.release(ada.id, lease)
        await uow.commit()

    assert (await take(storage, ada, "other")).fence > lease.fence
    assert await world.now(ada.id) == ada
