"""Concurrent processes. The loops repeat a race often enough for a missing lock to show."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from itertools import permutations
from typing import TypeVar

import asyncpg
import pytest
from msgspec.structs import replace

from adapters.persistence.storage import PiccoloStorage
from application.ports.storage.booking_commands import BookingCommand, Operation
from application.ports.storage.breakers import Surface
from application.ports.storage.connect_attempts import ConnectAttempt
from application.ports.storage.unit_of_work import UnitOfWork
from application.ports.storage.webhook_events import NewEvent, WebhookEvent
from application.resilience.circuit_breakers import CircuitBreakers
from domain.booking import Booking, BookingStatus, Facts
from domain.circuit_breaker import Breaker, BreakerPolicy, BreakerState
from domain.errors import CircuitOpen
from domain.ids import BookingId, CommandId, UserId, WebhookEventId
from domain.integration import Integration, refreshed
from domain.reconciliation import related_uris, settle
from tests import samples
from tests.application.support.recording import RecordedTelemetry
from tests.contracts.persistence.world import World
from tests.fakes.clock import NOON, FakeClock
from tests.fakes.randomness import FakeRandomness
from tests.refresh_records import finish

T = TypeVar("T")
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
RACERS = 6


async def race(
    storage: PiccoloStorage, work: Callable[[UnitOfWork, int], Awaitable[T]], racers: int = RACERS
) -> list[T]:
    """Run the same work in several transactions that are all open before any begins it."""
    ready = asyncio.Barrier(racers)

    async def run(number: int) -> T:
        async with storage() as uow:
            await ready.wait()
            result = await work(uow, number)
            await uow.commit()
        return result

    return await asyncio.gather(*(run(number) for number in range(racers)))


async def test_one_refresher(piccolo_storage: PiccoloStorage, ada: Integration) -> None:
    """Of many that want to refresh one integration, one gets the lease."""
    taken = await race(
        piccolo_storage,
        lambda uow, number: uow.refresh_queue.take(ada.id, str(number), NOON, NOON + MINUTE),
    )

    assert len([each for each in taken if each is not None]) == 1


async def test_claims_are_disjoint(piccolo_storage: PiccoloStorage, world: World) -> None:
    """Concurrent workers share the due refreshes and syncs: none is claimed twice, none is left."""
    made = {(await world.connect(str(number))).id for number in range(20)}

    refreshes = await race(
        piccolo_storage,
        lambda uow, number: uow.refresh_queue.claim_due(
            str(number), NOON, NOON + MINUTE, NOON + 3 * HOUR, 4
        ),
    )
    syncs = await race(
        piccolo_storage,
        lambda uow, number: uow.sync_queue.claim_due(str(number), NOON, NOON + MINUTE, 4),
    )

    refreshed_ids = [each.id for page in refreshes for each, _ in page]
    synced_ids = [each.id for page in syncs for each in page]
    assert sorted(refreshed_ids) == sorted(made)
    assert sorted(synced_ids) == sorted(made)


async def test_claims_do_not_wait(piccolo_storage: PiccoloStorage, world: World) -> None:
    """A claim skips a row that another process is changing, without waiting for it."""
    busy, free = await world.connect("busy"), await world.connect("free")
    holding, done = asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        async with piccolo_storage() as uow:
            await uow.integrations.for_user(busy.user_id, lock=True)
            holding.set()
            await done.wait()

    holder = asyncio.create_task(hold())
    await holding.wait()
    async with asyncio.timeout(5), piccolo_storage() as uow:
        refreshes = await uow.refresh_queue.claim_due(
            "me", NOON, NOON + MINUTE, NOON + 3 * HOUR, 9
        )
        syncs = await uow.sync_queue.claim_due("me", NOON, NOON + MINUTE, 9)
    done.set()
    await holder

    assert [each.id for each, _ in refreshes] == [free.id]
    assert [each.id for each in syncs] == [free.id]


async def test_settling_blocks_no_job(piccolo_storage: PiccoloStorage, ada: Integration) -> None:
    """While webhooks of an integration are being applied its refresh can still be claimed."""
    settling, done = asyncio.Event(), asyncio.Event()

    async def settle_slowly() -> None:
        async with piccolo_storage() as uow:
            await uow.bookings.lock([ada.id], [])
            settling.set()
            await done.wait()

    settler = asyncio.create_task(settle_slowly())
    await settling.wait()
    async with piccolo_storage() as uow:
        claimed = await uow.refresh_queue.claim_due("job", NOON, NOON + MINUTE, NOON + 3 * HOUR, 9)
    done.set()
    await settler

    assert [each.id for each, _ in claimed] == [ada.id]


async def test_one_outcome(
    piccolo_storage: PiccoloStorage, world: World, ada: Integration
) -> None:
    """Of several outcomes of one token version one is stored."""
    async with piccolo_storage() as uow:
        taken = await uow.refresh_queue.take(ada.id, "me", NOON, NOON + MINUTE)
        await uow.commit()
    assert taken is not None
    new = refreshed(ada, samples.tokens(version=2), NOON)

    stored = await race(
        piccolo_storage,
        lambda uow, _: finish(uow, new, taken[1], expected_version=1, next_attempt_at=None),
    )

    assert sorted(stored) == [False] * (RACERS - 1) + [True]
    assert await world.now(ada.id) == new


async def test_a_refused_call_waits_for_no_lock(
    piccolo_storage: PiccoloStorage, clock: FakeClock
) -> None:
    """While a breaker is open a call is refused immediately, even if another process locks its row."""
    circuit_breakers = CircuitBreakers(
        storage=piccolo_storage,
        clock=clock,
        randomness=FakeRandomness(),
        telemetry=RecordedTelemetry(),
        policy=BreakerPolicy(),
    )
    is_open = Breaker(state=BreakerState.OPEN, failures=5, opened_at=clock.now(), trips=1)
    async with piccolo_storage() as uow:
        await uow.breakers.put(Surface.API, is_open)
        await uow.commit()

    async def hold() -> None:
        async with piccolo_storage() as holder:
            await holder.breakers.lock(Surface.API)
            held.set()
            await refused.wait()

    held, refused = asyncio.Event(), asyncio.Event()
    holding = asyncio.create_task(hold())
    await held.wait()
    try:
        async with asyncio.timeout(5):
            with pytest.raises(CircuitOpen):
                await circuit_breakers.call(Surface.API, piccolo_storage.ping)
    finally:
        refused.set()
        await holding


async def test_one_user(piccolo_storage: PiccoloStorage, world: World) -> None:
    """A user whose first calls are concurrent is created once."""
    for attempt in range(3):
        ids = await race(
            piccolo_storage,
            lambda uow, _, name=str(attempt): uow.users.ensure(  # type: ignore[misc]
                name, UserId(world.randomness.new_id()), NOON
            ),
        )
        assert len(set(ids)) == 1


async def test_one_event(piccolo_storage: PiccoloStorage, world: World) -> None:
    """A webhook delivered to many processes concurrently is stored once."""

    async def store(uow: UnitOfWork, _: int) -> bool:
        event = WebhookEvent(
            id=WebhookEventId(world.randomness.new_id()),
            dedupe_key="same",
            kind="invitee.created",
            body=b"{}",
            received_at=NOON,
            occurred_at=NOON,
        )
        return bool(await uow.webhook_events.store([NewEvent(event)]))

    assert sorted(await race(piccolo_storage, store)) == [False] * (RACERS - 1) + [True]


async def test_one_taker_of_a_flow(piccolo_storage: PiccoloStorage, world: World) -> None:
    """A connect flow's state is good for one of many callbacks."""
    user_id = await world.user("ada")
    async with piccolo_storage() as uow:
        await uow.connect_attempts.add(ConnectAttempt(b"s" * 32, user_id, "sealed", NOON))
        await uow.commit()

    taken = await race(piccolo_storage, lambda uow, _: uow.connect_attempts.take(b"s" * 32))

    assert len([each for each in taken if each is not None]) == 1


async def test_one_holder_and_one_confirmation(
    piccolo_storage: PiccoloStorage, world: World
) -> None:
    """Of many callbacks of one flow one keeps its code, and one of many confirmations takes it."""
    user_id = await world.user("ada")
    attempt = ConnectAttempt(b"s" * 32, user_id, "sealed", NOON)
    async with piccolo_storage() as uow:
        await uow.connect_attempts.add(attempt)
        await uow.commit()

    async def hold(uow: UnitOfWork, number: int) -> bytes | None:
        handle = bytes([number]) * 32
        held = replace(attempt, sealed_code=f"code-{number}", handle_hash=handle)
        return handle if await uow.connect_attempts.hold(held, NOON, NOON + HOUR) else None

    (handle,) = [each for each in await race(piccolo_storage, hold) if each is not None]
    taken = await race(
        piccolo_storage, lambda uow, _: uow.connect_attempts.take_held(handle, NOON)
    )

    (won,) = [each for each in taken if each is not None]
    assert (won.sealed_code, won.handle_hash) == (f"code-{handle[0]}", handle)


async def test_one_runner(piccolo_storage: PiccoloStorage, world: World) -> None:
    """Of many requests with one Idempotency-Key one may act, and all get the same command."""
    user_id = await world.user("ada")

    async def open_command(uow: UnitOfWork, _: int) -> tuple[BookingCommand, bool]:
        command = BookingCommand(
            id=CommandId(world.randomness.new_id()),
            user_id=user_id,
            key="key",
            operation=Operation.BOOK,
            fingerprint=b"f" * 32,
            started_at=NOON,
            lease_until=NOON + MINUTE,
        )
        return await uow.booking_commands.open(command)

    answers = await race(piccolo_storage, open_command)

    assert sorted(may for _, may in answers) == [False] * (RACERS - 1) + [True]
    assert len({command.id for command, _ in answers}) == 1


async def test_breakers_count_all(piccolo_storage: PiccoloStorage) -> None:
    """Failures that several processes count concurrently are all counted, the first ones too."""

    async def count(uow: UnitOfWork, _: int) -> None:
        breaker = await uow.breakers.lock(Surface.API)
        await uow.breakers.put(Surface.API, Breaker(failures=breaker.failures + 1))

    await race(piccolo_storage, count)

    async with piccolo_storage() as uow:
        assert (await uow.breakers.read(Surface.API)).failures == RACERS


OLD = samples.facts("OLD")
MOVED = samples.facts(
    "OLD", status=BookingStatus.RESCHEDULED, successor=samples.invitee_uri("NEW")
)
NEW = samples.facts("NEW", predecessor=samples.invitee_uri("OLD"))


@pytest.mark.parametrize("order", list(permutations([OLD, MOVED, NEW])))
async def test_halves_of_a_reschedule(
    piccolo_storage: PiccoloStorage, world: World, ada: Integration, order: tuple[Facts, ...]
) -> None:
    """Halves of a reschedule that are applied at the same moment never miss each other."""

    async def apply(uow: UnitOfWork, number: int) -> None:
        facts = order[number]
        await uow.bookings.lock([ada.id], [])
        named = {ada.id: sorted(related_uris([facts]))}
        known = (await uow.bookings.related(named, {}))[ada.id]
        changes = settle({uri: each.facts for uri, each in known.items()}, [facts])
        await uow.bookings.put(
            [
                Booking(
                    id=BookingId(world.randomness.new_id()),
                    user_id=ada.user_id,
                    integration_id=ada.id,
                    facts=change.facts,
                )
                for change in changes
            ]
        )
        await uow.availability.invalidate([ada.user_id], NOON, by="invitee.created")

    await race(piccolo_storage, apply, racers=3)

    async with piccolo_storage() as uow:
        old = await uow.bookings.by_invitee(ada.user_id, OLD.invitee_uri)
        new = await uow.bookings.by_invitee(ada.user_id, NEW.invitee_uri)
    assert old is not None
    assert new is not None
    assert old.facts == MOVED
    assert new.facts == NEW


async def until_waiting(sql: asyncpg.Connection) -> None:
    """Return once some statement of the store waits for a lock."""
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    async with asyncio.timeout(10):
        while not await sql.fetchval(waiting):
            await sql.execute("SELECT pg_sleep(0.01)")


async def test_batches_lock_in_order(
    piccolo_storage: PiccoloStorage, world: World, sql: asyncpg.Connection
) -> None:
    """A batch locks by ascending key, in whatever order it names its users."""
    names = ["ada", "bob", "cyd"]
    ada, bob, cyd = [await world.user(name) for name in names]
    made = [await world.connect(name) for name in reversed(names)]
    async with piccolo_storage() as uow:
        # Changed last, the row with the lowest key is now the last one that a scan comes by.
        await uow.integrations.put_reconciled(made[0].id, NOON)
        await uow.commit()
    holding, done = asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        async with piccolo_storage() as uow:
            await uow.integrations.for_user(bob, lock=True)
            holding.set()
            await done.wait()

    async def invalidate() -> None:
        async with piccolo_storage() as uow:
            await uow.availability.invalidate([ada, bob, cyd], NOON, by="test")

    holder = asyncio.create_task(hold())
    await holding.wait()
    batch = asyncio.create_task(invalidate())
    await until_waiting(sql)
    free = await sql.fetch(
        "SELECT u.public_id FROM calendly_integration i JOIN app_user u ON u.id = i.user_id"
        " FOR NO KEY UPDATE OF i SKIP LOCKED"
    )
    done.set()
    await asyncio.gather(holder, batch)

    assert [row[0] for row in free] == [ada]


async def test_erased_while_settling(
    piccolo_storage: PiccoloStorage, world: World, ada: Integration, sql: asyncpg.Connection
) -> None:
    """Erasing waits for the webhooks that are being applied; neither is turned away."""
    await world.book(ada, OLD)

    async def erase() -> None:
        async with piccolo_storage() as uow:
            await uow.integrations.erase(ada.id)
            await uow.commit()

    settling, erasing = asyncio.Event(), asyncio.Event()

    async def settle_slowly() -> None:
        async with piccolo_storage() as uow:
            await uow.bookings.lock([ada.id], [])
            settling.set()
            await erasing.wait()
            await uow.bookings.put([samples.booking(ada, world.randomness, NEW)])
            await uow.availability.invalidate([ada.user_id], NOON, by="invitee.created")
            await uow.commit()

    settler = asyncio.create_task(settle_slowly())
    await settling.wait()
    eraser = asyncio.create_task(erase())
    await until_waiting(sql)
    erasing.set()
    await asyncio.gather(settler, eraser)

    assert await sql.fetchval("SELECT count(*) FROM calendly_booking") == 0


@pytest.mark.parametrize("settles", [True, False])
async def test_erased_while_ingesting(
    piccolo_storage: PiccoloStorage,
    world: World,
    ada: Integration,
    sql: asyncpg.Connection,
    *,
    settles: bool,
) -> None:
    """An erasure waits for a webhook that is being stored, and erases its booking too."""
    storing, erasing = asyncio.Event(), asyncio.Event()

    async def ingest_slowly() -> None:
        async with piccolo_storage() as uow:
            await uow.webhook_events.store(
                [
                    NewEvent(
                        WebhookEvent(
                            id=WebhookEventId(world.randomness.new_id()),
                            dedupe_key="one",
                            kind="invitee.created",
                            body=b"{}",
                            received_at=NOON,
                            occurred_at=NOON,
                            integration_id=ada.id,
                            user_id=ada.user_id,
                        )
                    )
                ]
            )
            storing.set()
            await erasing.wait()
            if settles:
                await uow.bookings.lock([ada.id], [])
                await uow.bookings.put([samples.booking(ada, world.randomness, NEW)])
            await uow.availability.invalidate([ada.user_id], NOON, by="invitee.created")
            await uow.commit()

    async def erase() -> None:
        async with piccolo_storage() as uow:
            await uow.integrations.erase(ada.id)
            await uow.commit()

    ingester = asyncio.create_task(ingest_slowly())
    await storing.wait()
    eraser = asyncio.create_task(erase())
    await until_waiting(sql)
    erasing.set()
    await asyncio.gather(ingester, eraser)

    for table in ("calendly_booking", "calendly_webhook_event", "calendly_integration"):
        assert await sql.fetchval(f"SELECT count(*) FROM {table}") == 0
