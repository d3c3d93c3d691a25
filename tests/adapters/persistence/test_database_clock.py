"""The real store judges by PostgreSQL's clock, whatever a process's own clock shows."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from msgspec.structs import replace

from adapters.persistence.database_clock import DATABASE_CLOCK
from adapters.persistence.storage import PiccoloStorage, open_storage
from application.ports.storage.booking_commands import BookingCommand, Operation
from application.ports.storage.connect_attempts import ConnectAttempt
from application.ports.storage.unit_of_work import UnitOfWork
from domain.ids import CommandId
from domain.integration import Integration
from domain.secret import Secret
from tests.contracts.persistence.test_webhook_events import store
from tests.contracts.persistence.world import World
from tests.fakes.clock import FakeClock
from tests.fakes.randomness import FakeRandomness
from tests.fakes.vault import FakeVault
from tests.refresh_records import begin

MINUTE = timedelta(minutes=1)
HALF_A_SECOND = timedelta(seconds=0.5)
SKEWS = [timedelta(seconds=seconds) for seconds in (-300, -62, 62, 300)]
skewed = pytest.mark.parametrize("skew", SKEWS, ids=str)
Take = Callable[[UnitOfWork, Integration, str, datetime, timedelta], Awaitable[bool]]


@pytest.fixture
async def storage(database_url: Secret, vault: FakeVault) -> AsyncIterator[PiccoloStorage]:
    """The real store as production opens it: with PostgreSQL's clock."""
    async with open_storage(database_url, vault, session=DATABASE_CLOCK) as storage:
        yield storage


@pytest.fixture
def world(storage: PiccoloStorage, randomness: FakeRandomness) -> World:
    """Arranges integrations, at the present time."""
    return World(storage, randomness, FakeClock(datetime.now(UTC)))


@pytest.fixture
async def ada(world: World) -> Integration:
    """A user's integration that is active."""
    return await world.connect("ada")


async def refresh_lease(
    uow: UnitOfWork, ada: Integration, owner: str, now: datetime, ttl: timedelta
) -> bool:
    """Take the refresh lease."""
    return await uow.refresh_queue.take(ada.id, owner, now, now + ttl) is not None


async def page_of_refreshes(
    uow: UnitOfWork, _: Integration, owner: str, now: datetime, ttl: timedelta
) -> bool:
    """Claim due refreshes, far ahead."""
    horizon = now + timedelta(days=900)
    return bool(await uow.refresh_queue.claim_due(owner, now, now + ttl, horizon, 9))


async def sync_lease(
    uow: UnitOfWork, ada: Integration, owner: str, now: datetime, ttl: timedelta
) -> bool:
    """Take the sync lease."""
    return await uow.sync_queue.take(ada.id, owner, now, now + ttl)


async def page_of_syncs(
    uow: UnitOfWork, _: Integration, owner: str, now: datetime, ttl: timedelta
) -> bool:
    """Claim due syncs."""
    return bool(await uow.sync_queue.claim_due(owner, now, now + ttl, 9))


async def page_of_webhooks(
    uow: UnitOfWork,
    _: Integration,
    _owner: str,
    now: datetime,
    ttl: timedelta,
) -> bool:
    """Claim pending webhooks."""
    return bool(await uow.webhook_events.claim_pending(now, now + ttl, 9))


async def command(
    uow: UnitOfWork, ada: Integration, _owner: str, now: datetime, ttl: timedelta
) -> bool:
    """Start a command under one key."""
    wanted = BookingCommand(
        id=CommandId(uuid4()),
        user_id=ada.user_id,
        key="key",
        operation=Operation.CANCEL,
        fingerprint=bytes(32),
        started_at=now,
        lease_until=now + ttl,
    )
    _, may_run = await uow.booking_commands.open(wanted)
    return may_run


TAKES: list[Take] = [
    refresh_lease,
    page_of_refreshes,
    sync_lease,
    page_of_syncs,
    page_of_webhooks,
    command,
]
each_take = pytest.mark.parametrize("take", TAKES, ids=lambda take: take.__name__)


async def taken(
    storage: PiccoloStorage,
    take: Take,
    ada: Integration,
    owner: str,
    now: datetime,
    *,
    ttl: timedelta = MINUTE,
) -> bool:
    """Take in a committed unit of work."""
    async with storage() as uow:
        result = await take(uow, ada, owner, now, ttl)
        await uow.commit()
    return result


@each_take
@skewed
async def test_a_skewed_process_waits_for_the_end_of_a_lease(
    storage: PiccoloStorage, world: World, ada: Integration, take: Take, skew: timedelta
) -> None:
    """A lease of a minute holds against a process of any clock, and then ends for it."""
    now = datetime.now(UTC)
    await store(storage, world.webhook())

    assert await taken(storage, take, ada, "first", now)
    assert not await taken(storage, take, ada, "second", now + skew)


@each_take
@skewed
async def test_the_lease_of_a_skewed_process_ends_after_its_length(
    storage: PiccoloStorage, world: World, ada: Integration, take: Take, skew: timedelta
) -> None:
    """A process whose clock is wrong takes a lease of the length that it asked for."""
    now = datetime.now(UTC)
    await store(storage, world.webhook())

    assert await taken(storage, take, ada, "first", now + skew, ttl=HALF_A_SECOND)
    assert not await taken(storage, take, ada, "second", now)
    await asyncio.sleep(0.6)
    assert await taken(storage, take, ada, "third", now)


@skewed
async def test_a_lease_is_returned_by_its_owners_clock(
    storage: PiccoloStorage, ada: Integration, skew: timedelta
) -> None:
    """The holder may compare the end of its lease with its own clock."""
    now = datetime.now(UTC) + skew

    async with storage() as uow:
        taken = await uow.refresh_queue.take(ada.id, "me", now, now + MINUTE)

    assert taken is not None
    assert taken[1].expires_at == now + MINUTE


@skewed
async def test_a_token_request_begins_by_the_database(
    storage: PiccoloStorage, world: World, ada: Integration, skew: timedelta
) -> None:
    """The start of a token request, which others judge, is PostgreSQL's time."""
    now = datetime.now(UTC)
    async with storage() as uow:
        leased = await uow.refresh_queue.take(ada.id, "me", now + skew, now + skew + MINUTE)
        assert leased is not None
        start = await begin(uow, ada.id, leased[1], now + skew, now + skew + MINUTE)
        await uow.commit()

    started = (await world.now(ada.id)).exchange_started_at
    assert start.granted
    assert started is not None
    assert abs(started - now) < timedelta(seconds=30)


@skewed
@pytest.mark.parametrize(("age", "taken"), [(MINUTE, True), (3 * MINUTE, False)])
async def test_a_held_code_ends_by_the_databases_clock(
    storage: PiccoloStorage, ada: Integration, skew: timedelta, age: timedelta, *, taken: bool
) -> None:
    """A process with a wrong clock gets a code that is held for two minutes, and no older one."""
    now = datetime.now(UTC)
    flow = ConnectAttempt(b"s" * 32, ada.user_id, "sealed", now)
    held = replace(flow, sealed_code="code", handle_hash=b"h" * 32)
    async with storage() as uow:
        await uow.connect_attempts.add(flow)
        assert await uow.connect_attempts.hold(held, now + skew, now + skew + 2 * MINUTE - age)
        found = await uow.connect_attempts.take_held(b"h" * 32, now - skew)

    assert (found is not None) == taken
