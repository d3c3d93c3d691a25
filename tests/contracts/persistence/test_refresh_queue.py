from datetime import timedelta

from msgspec.structs import replace

from application.ports.unit_of_work import Storage
from domain.circuit_breaker import Breaker
from domain.ids import IntegrationId
from domain.integration import (
    Cause,
    Integration,
    Lease,
    Status,
    needs_person,
    refreshed,
)
from tests import samples
from tests.contracts.persistence.world import World
from tests.fakes.clock import NOON

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


async def take(storage: Storage, integration: Integration, owner: str = "me") -> Lease:
    """Take a lease at noon for a minute, committed."""
    async with storage() as uow:
        taken = await uow.refresh_queue.take(integration.id, owner, NOON, NOON + MINUTE)
        await uow.commit()
    assert taken is not None
    return taken[1]


async def test_take(storage: Storage, ada: Integration) -> None:
    """The taker gets the integration as it stands and a lease that names it and its end."""
    async with storage() as uow:
        taken = await uow.refresh_queue.take(ada.id, "me", NOON, NOON + MINUTE)

    assert taken == (ada, Lease(owner="me", fence=1, expires_at=NOON + MINUTE))


async def test_one_holder(storage: Storage, ada: Integration) -> None:
    """While the lease is held nobody gets it, not even its holder; from its end on anybody."""
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
        absent = IntegrationId(world.entropy.new_id())
        assert await uow.refresh_queue.take(dead.id, "me", NOON, NOON + MINUTE) is None
        assert await uow.refresh_queue.take(absent, "me", NOON, NOON + MINUTE) is None


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
    """A claim passes over what is held, what is not active and what was put off."""
    held = await world.connect("held")
    put_off = await world.connect("put off")
    await world.connect("dead", status=Status.REAUTH_REQUIRED, tokens=None)
    free = await world.connect("free")
    await take(storage, held)
    lease = await take(storage, put_off)
    async with storage() as uow:
        await uow.refresh_queue.finish(
            put_off, lease, expected_version=1, next_attempt_at=NOON + HOUR
        )
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


async def test_put_off_can_be_taken(storage: Storage, ada: Integration) -> None:
    """What the job has to leave alone for a while may still be taken by a call that needs it."""
    lease = await take(storage, ada)

    async with storage() as uow:
        await uow.refresh_queue.finish(ada, lease, expected_version=1, next_attempt_at=NOON + HOUR)
        assert await uow.refresh_queue.take(ada.id, "other", NOON, NOON + MINUTE) is not None


async def test_begin_exchange(storage: Storage, world: World, ada: Integration) -> None:
    """The start of an exchange is recorded; an earlier open one keeps its time."""
    lease = await take(storage, ada)

    async with storage() as uow:
        assert await uow.refresh_queue.begin_exchange(ada.id, lease, NOON)
        assert await uow.refresh_queue.begin_exchange(ada.id, lease, NOON + MINUTE)
        await uow.commit()
    assert await world.now(ada.id) == replace(ada, exchange_started_at=NOON)


async def test_begin_after_loss(storage: Storage, world: World, ada: Integration) -> None:
    """Nothing may be sent under a lease that somebody took over, gave back, or a disconnect ended."""
    old = await take(storage, ada)
    async with storage() as uow:
        taken = await uow.refresh_queue.take(ada.id, "other", NOON + MINUTE, NOON + HOUR)
        assert taken is not None
        assert not await uow.refresh_queue.begin_exchange(ada.id, old, NOON + MINUTE)
        await uow.refresh_queue.release(ada.id, taken[1])
        assert not await uow.refresh_queue.begin_exchange(ada.id, taken[1], NOON + MINUTE)
        last = await uow.refresh_queue.take(ada.id, "last", NOON + MINUTE, NOON + HOUR)
        assert last is not None
        await uow.integrations.mark_disconnecting(ada.id)
        assert not await uow.refresh_queue.begin_exchange(ada.id, last[1], NOON + MINUTE)
        await uow.commit()

    assert (await world.now(ada.id)).exchange_started_at is None


async def test_finish_stores(storage: Storage, world: World, ada: Integration) -> None:
    """A refresh stores the new pair with scopes and organization, and frees the lease."""
    lease = await take(storage, ada)
    account = replace(ada.account, organization_uri="https://api.calendly.com/organizations/NEW")
    new = replace(ada, account=account, scopes=("users:read",), last_error_code="old")
    new = refreshed(new, samples.tokens(expires_at=NOON + 4 * HOUR, version=2), NOON)

    async with storage() as uow:
        await uow.refresh_queue.begin_exchange(ada.id, lease, NOON)
        assert await uow.refresh_queue.finish(new, lease, expected_version=1, next_attempt_at=None)
        await uow.commit()

    assert await world.now(ada.id) == new
    async with storage() as uow:
        assert await uow.refresh_queue.take(ada.id, "other", NOON, NOON + MINUTE) is not None


async def test_finish_refused(storage: Storage, world: World, ada: Integration) -> None:
    """A refusal erases the tokens and stores why a person is needed."""
    lease = await take(storage, ada)
    dead = needs_person(ada, Cause.GRANT_REFUSED, NOON, code="grant_refused")

    async with storage() as uow:
        assert await uow.refresh_queue.finish(
            dead, lease, expected_version=1, next_attempt_at=None
        )
        await uow.commit()

    assert await world.now(ada.id) == dead


async def test_finish_failed(storage: Storage, world: World, ada: Integration) -> None:
    """A passing failure keeps the pair and stores breaker, error and the open exchange."""
    lease = await take(storage, ada)
    failed = replace(
        ada,
        breaker=Breaker(failures=1),
        last_error_code="calendly_uncertain",
        exchange_started_at=NOON,
    )

    async with storage() as uow:
        assert await uow.refresh_queue.finish(
            failed, lease, expected_version=1, next_attempt_at=NOON + MINUTE
        )
        await uow.commit()

    assert await world.now(ada.id) == failed


async def test_fenced_out(storage: Storage, world: World, ada: Integration) -> None:
    """A finisher whose lease was taken over changes nothing and leaves the new lease alone."""
    old = await take(storage, ada)
    async with storage() as uow:
        new = await uow.refresh_queue.take(ada.id, "me", NOON + MINUTE, NOON + HOUR)
        await uow.commit()
    assert new is not None

    async with storage() as uow:
        late = refreshed(ada, samples.tokens(version=2), NOON)
        assert not await uow.refresh_queue.finish(
            late, old, expected_version=1, next_attempt_at=None
        )
        await uow.refresh_queue.release(ada.id, old)
        assert (
            await uow.refresh_queue.take(ada.id, "third", NOON + 2 * MINUTE, NOON + HOUR) is None
        )
        await uow.commit()
    assert await world.now(ada.id) == ada


async def test_version_moved(storage: Storage, world: World, ada: Integration) -> None:
    """A pair that came from another version than the stored one is not stored."""
    lease = await take(storage, ada)

    async with storage() as uow:
        late = refreshed(ada, samples.tokens(version=1), NOON)
        assert not await uow.refresh_queue.finish(
            late, lease, expected_version=0, next_attempt_at=None
        )
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
        assert await uow.refresh_queue.finish(new, lease, expected_version=1, next_attempt_at=None)
        await uow.commit()

    assert await world.now(ada.id) == replace(new, status=Status.DISCONNECTING)


async def test_finish_keeps_the_rest(storage: Storage, world: World, ada: Integration) -> None:
    """What others stored during a refresh is not undone by its outcome."""
    lease = await take(storage, ada)
    async with storage() as uow:
        await uow.integrations.put_reconciled(ada.id, NOON)
        await uow.sync_queue.take(ada.id, "sync", NOON, NOON + MINUTE)
        await uow.sync_queue.finish(ada.id, "sync", synced_at=NOON, due_at=NOON + HOUR)
        await uow.commit()
    new = refreshed(ada, samples.tokens(version=2), NOON)

    async with storage() as uow:
        await uow.refresh_queue.finish(new, lease, expected_version=1, next_attempt_at=None)
        await uow.commit()

    expected = replace(new, reconciled_at=NOON, last_synced_at=NOON)
    assert await world.now(ada.id) == expected


async def test_release(storage: Storage, world: World, ada: Integration) -> None:
    """A lease that is given back can be taken at once, with a higher fencing number."""
    lease = await take(storage, ada)

    async with storage() as uow:
        await uow.refresh_queue.release(ada.id, lease)
        await uow.commit()

    assert (await take(storage, ada, "other")).fence > lease.fence
    assert await world.now(ada.id) == ada
