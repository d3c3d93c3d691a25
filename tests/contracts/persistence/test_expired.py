from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from application.ports.storage.booking_commands import BookingCommand, Operation
from application.ports.storage.connect_attempts import ConnectAttempt
from application.ports.storage.expired import PrunedPage
from application.ports.storage.unit_of_work import Storage
from application.ports.storage.webhook_archive import WebhookQuery
from application.ports.storage.webhook_events import WebhookEvent
from domain.ids import BookingId, CommandId, WebhookEventId
from domain.integration import Integration
from domain.retention import Cutoffs
from tests.contracts.persistence.test_webhook_events import event, store
from tests.contracts.persistence.world import World
from tests.fakes.clock import NOON, FakeClock
from tests.fakes.randomness import FakeRandomness
from tests.fakes.storage import FakeStorage

DAY = timedelta(days=1)
CUTOFFS = Cutoffs(
    settled=NOON - 30 * DAY,
    dead_letters=NOON - 90 * DAY,
    commands=NOON - 7 * DAY,
    connect_attempts=NOON - DAY,
    audit=NOON - 400 * DAY,
)
Fate = tuple[str, int]
"""How an event ended, and how many days ago."""


async def arrange(storage: Storage, world: World, fates: list[Fate]) -> list[WebhookEvent]:
    """Store events that ended so, in this order."""
    made = [
        event(world, f"{number}", received_at=NOON - days * DAY)
        for number, (_, days) in enumerate(fates)
    ]
    await store(storage, *made)
    async with storage() as uow:
        for each, (how, _) in zip(made, fates, strict=True):
            if how == "applied":
                await uow.webhook_events.applied(each.id, each.received_at)
            elif how == "ignored":
                await uow.webhook_events.ignored(each.id, "unknown_kind", each.received_at)
            elif how == "dead_lettered":
                await uow.webhook_events.failed(each.id, "unexpected", None)
        await uow.commit()
    return made


async def prune(storage: Storage, limit: int) -> list[PrunedPage]:
    """Walk through all events, each page committed."""
    pages: list[PrunedPage] = []
    while not pages or pages[-1].after is not None:
        async with storage() as uow:
            after = pages[-1].after if pages else None
            pages.append(await uow.expired.prune_webhooks(CUTOFFS, after, limit))
            await uow.commit()
    return pages


async def left(storage: Storage) -> set[WebhookEventId]:
    """Return what is stored."""
    async with storage() as uow:
        return {each.id for each in await uow.webhook_archive.page(WebhookQuery(limit=1_000))}


def stays(fate: Fate) -> bool:
    """Whether an event that ended so, so long ago, is to be kept."""
    how, days = fate
    return how == "pending" or days <= (90 if how == "dead_lettered" else 30)


FATES = [
    (how, days)
    for days in (200, 91, 89, 31, 29, 0)
    for how in ("pending", "applied", "ignored", "dead_lettered")
]


@pytest.mark.parametrize("limit", [1, 4, 100])
async def test_over(storage: Storage, world: World, limit: int) -> None:
    """Settled events and dead letters go after their own time; pending ones never do."""
    made = await arrange(storage, world, FATES)

    pages = await prune(storage, limit)

    kept = {each.id for each, fate in zip(made, FATES, strict=True) if stays(fate)}
    assert await left(storage) == kept
    assert sum(page.settled for page in pages) == 8
    assert sum(page.dead_letters for page in pages) == 2
    assert all(page.examined <= limit for page in pages)


async def test_young_ones_are_not_walked_through(storage: Storage, world: World) -> None:
    """The walk ends at the first page on which everything is too young, whatever lies behind."""
    await arrange(storage, world, [("applied", 40)] * 3 + [("applied", 1)] * 50)

    pages = await prune(storage, 5)

    assert sum(page.examined for page in pages) == 10


async def test_with_its_replays(storage: Storage, world: World) -> None:
    """An event that was replayed and applied again counts from then, and goes with its record."""
    (old,) = await arrange(storage, world, [("applied", 40)])
    async with storage() as uow:
        await uow.webhook_archive.replay([old.id], "cli", NOON)
        await uow.webhook_events.applied(old.id, NOON - 29 * DAY)
        await uow.commit()
    await prune(storage, 9)
    assert await left(storage) == {old.id}

    async with storage() as uow:
        await uow.webhook_archive.replay([old.id], "cli", NOON)
        await uow.webhook_events.applied(old.id, NOON - 31 * DAY)
        await uow.commit()
    await prune(storage, 9)

    assert await left(storage) == set()


@given(
    fates=st.lists(
        st.tuples(
            st.sampled_from(["pending", "applied", "ignored", "dead_lettered"]),
            st.integers(0, 200),
        ),
        max_size=12,
    ),
    limit=st.integers(1, 5),
)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_nothing_young_goes(fates: list[Fate], limit: int) -> None:
    """Nothing is deleted before its time, and rows that arrived in order are all deleted."""
    storage = FakeStorage()
    world = World(storage, FakeRandomness(), FakeClock())
    in_order = sorted(fates, key=lambda fate: -fate[1])
    made = await arrange(storage, world, in_order)

    await prune(storage, limit)

    kept = {each.id for each, fate in zip(made, in_order, strict=True) if stays(fate)}
    assert await left(storage) == kept


def attempt(ada: Integration, number: int, expires_at: datetime) -> ConnectAttempt:
    """Return a connect flow that dies then."""
    return ConnectAttempt(
        state_hash=bytes([number]) * 32,
        user_id=ada.user_id,
        sealed_verifier="sealed",
        expires_at=expires_at,
    )


async def test_connect_attempts(storage: Storage, ada: Integration) -> None:
    """Unfinished connect flows are deleted a page at a time once they are long dead."""
    async with storage() as uow:
        for number, hours in enumerate((0, 23, 25, 26)):
            died = NOON - timedelta(hours=hours)
            await uow.connect_attempts.add(attempt(ada, number, died))
        await uow.commit()

    counts = []
    for _ in range(3):
        async with storage() as uow:
            counts.append(await uow.expired.prune_connect_attempts(CUTOFFS.connect_attempts, 1))
            await uow.commit()

    assert counts == [1, 1, 0]


async def test_commands(storage: Storage, world: World, ada: Integration) -> None:
    """Commands that were carried out long ago go; those under way never do."""
    async with storage() as uow:
        for number, done_at in enumerate((NOON - 8 * DAY, NOON - 6 * DAY, None)):
            command = BookingCommand(
                id=CommandId(world.randomness.new_id()),
                user_id=ada.user_id,
                key=f"key-{number}",
                operation=Operation.CANCEL,
                fingerprint=b"f" * 32,
                started_at=NOON - 9 * DAY,
                lease_until=NOON - 9 * DAY,
            )
            opened, _ = await uow.booking_commands.open(command)
            if done_at is not None:
                booking_id = BookingId(world.randomness.new_id())
                await uow.booking_commands.finish(opened, booking_id, done_at)
        await uow.commit()

    async with storage() as uow:
        count = await uow.expired.prune_commands(CUTOFFS.commands, 9)
        await uow.commit()
    async with storage() as uow:
        again = await uow.expired.prune_commands(CUTOFFS.commands, 9)

    assert (count, again) == (1, 0)
