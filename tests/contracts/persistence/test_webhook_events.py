from datetime import datetime, timedelta

import pytest
from msgspec.structs import replace

from adapters.persistence.repositories.webhook_events import PiccoloWebhookEvents
from application.ports.storage.unit_of_work import Storage
from application.ports.storage.webhook_events import NewEvent, WebhookEvent
from domain.ids import IntegrationId, UserId, WebhookEventId
from domain.integration import Integration
from tests.contracts.persistence.world import World
from tests.fakes.clock import NOON
from tests.fakes.storage import FakeStorage

MINUTE = timedelta(minutes=1)


def event(world: World, key: str, **changes: object) -> WebhookEvent:
    """Return an event that arrived at noon."""
    plain = WebhookEvent(
        id=WebhookEventId(world.randomness.new_id()),
        dedupe_key=key,
        kind="invitee.created",
        body=b'{"name": "\xc3\xa4"}',
        received_at=NOON,
        occurred_at=NOON - MINUTE,
    )
    return replace(plain, **changes)


async def store(storage: Storage, *events: WebhookEvent) -> list[bool]:
    """Store events, committed."""
    async with storage() as uow:
        stored = [bool(await uow.webhook_events.store([NewEvent(each)])) for each in events]
        await uow.commit()
    return stored


async def claim(storage: Storage, now: datetime = NOON, limit: int = 9) -> list[WebhookEvent]:
    """Claim for a minute, committed."""
    async with storage() as uow:
        claimed = await uow.webhook_events.claim_pending(now, now + MINUTE, limit)
        await uow.commit()
    return list(claimed)


async def statuses(storage: Storage) -> dict[str, str]:
    """Return the statuses of all events by dedupe key, from behind the port."""
    if isinstance(storage, FakeStorage):
        rows = storage.state.webhook_events.values()
        return {row.event.dedupe_key: row.status for row in rows}
    async with storage() as uow:
        assert isinstance(uow.webhook_events, PiccoloWebhookEvents)
        found = await uow.webhook_events._session.rows(
            "SELECT dedupe_key, status FROM calendly_webhook_event"
        )
    return {row["dedupe_key"]: row["status"] for row in found}


@pytest.mark.parametrize("body", [b"", b"{}", bytes(range(256)), "ä\x00".encode()])
async def test_exact_bytes(storage: Storage, world: World, ada: Integration, body: bytes) -> None:
    """A stored event comes back with its body byte for byte."""
    stored = event(world, "one", body=body, integration_id=ada.id, user_id=ada.user_id)

    assert await store(storage, stored) == [True]
    assert await claim(storage) == [stored]


async def test_once(storage: Storage, world: World) -> None:
    """A second event with a known key is not stored and does not change the first."""
    first = event(world, "same")

    assert await store(storage, first, event(world, "same", body=b"second")) == [True, False]
    assert await store(storage, event(world, "same", body=b"third")) == [False]
    assert await claim(storage) == [first]


async def test_unlinked(storage: Storage, world: World) -> None:
    """An event of an unknown integration and user is still stored."""
    orphan = event(
        world,
        "one",
        integration_id=IntegrationId(world.randomness.new_id()),
        user_id=UserId(world.randomness.new_id()),
    )

    assert await store(storage, orphan) == [True]
    assert await claim(storage) == [replace(orphan, integration_id=None, user_id=None)]


async def test_oldest_first(storage: Storage, world: World) -> None:
    """Pending events are handed out oldest first, up to the limit, and once at a time."""
    events = [
        event(world, f"{minutes}", received_at=NOON - minutes * MINUTE) for minutes in (1, 3, 2)
    ]
    await store(storage, *events)

    assert await claim(storage, limit=2) == [events[1], events[2]]
    assert await claim(storage, limit=2) == [events[0]]
    assert await claim(storage) == []


async def test_held(storage: Storage, world: World) -> None:
    """An event claimed by a worker that died is claimed again when the claim ends."""
    pending = event(world, "one")
    await store(storage, pending)
    await claim(storage)

    assert await claim(storage, NOON + MINUTE - timedelta(microseconds=1)) == []
    assert await claim(storage, NOON + MINUTE) == [pending]


async def test_settled(storage: Storage, world: World, ada: Integration) -> None:
    """An applied or ignored event keeps its status and is never claimed again."""
    applied, ignored = (event(world, key, user_id=ada.user_id) for key in ("a", "b"))
    await store(storage, applied, ignored)
    async with storage() as uow:
        await uow.webhook_events.applied(applied.id, NOON)
        await uow.webhook_events.ignored(ignored.id, "unknown_kind", NOON)
        await uow.commit()

    assert await claim(storage, NOON + MINUTE) == []
    assert await statuses(storage) == {"a": "applied", "b": "ignored"}


async def test_failed(storage: Storage, world: World, ada: Integration) -> None:
    """A failed event is counted, waits for its next attempt, and without one is dead-lettered."""
    pending = event(world, "one", user_id=ada.user_id)
    await store(storage, pending)
    async with storage() as uow:
        await uow.webhook_events.failed(pending.id, "storage_unavailable", NOON + MINUTE)
        await uow.commit()
    assert await claim(storage) == []
    assert await claim(storage, NOON + MINUTE) == [replace(pending, attempts=1)]

    async with storage() as uow:
        await uow.webhook_events.failed(pending.id, "webhook_malformed", None)
        await uow.commit()

    assert await claim(storage, NOON + timedelta(days=9)) == []
    assert await statuses(storage) == {"one": "dead_lettered"}


async def test_late_report(storage: Storage, world: World, ada: Integration) -> None:
    """An applied event stays applied, even if a slow worker reports a failure afterwards."""
    done = event(world, "one", user_id=ada.user_id)
    await store(storage, done)
    async with storage() as uow:
        await uow.webhook_events.applied(done.id, NOON)
        await uow.webhook_events.failed(done.id, "storage_unavailable", NOON)
        await uow.webhook_events.ignored(done.id, "unknown_kind", NOON)
        await uow.commit()

    assert await statuses(storage) == {"one": "applied"}
    assert await claim(storage, NOON + MINUTE) == []


async def test_unapplied(storage: Storage, world: World, ada: Integration) -> None:
    """Unapplied events are found for the integrations they may concern, the newest first."""
    bob = await world.connect("bob")
    mine = {"integration_id": ada.id, "user_id": ada.user_id}
    pending = event(world, "pending", **mine)
    dead = event(world, "dead", received_at=NOON + MINUTE, **mine)
    wide = event(world, "wide", received_at=NOON + 2 * MINUTE)
    alone = event(world, "alone", received_at=NOON + 3 * MINUTE, user_id=ada.user_id)
    applied = event(world, "applied", **mine)
    others = [
        event(world, "kind", kind="event_type.created", **mine),
        event(world, "old", received_at=NOON - MINUTE, **mine),
        event(world, "bobs", integration_id=bob.id, user_id=bob.user_id),
        event(world, "bobs alone", user_id=bob.user_id),
    ]
    await store(storage, pending, dead, wide, alone, applied, *others)
    async with storage() as uow:
        await uow.webhook_events.failed(dead.id, "webhook_malformed", None)
        await uow.webhook_events.applied(applied.id, NOON)
        await uow.commit()

    async with storage() as uow:
        kinds = {"invitee.created", "invitee.canceled"}
        found = await uow.webhook_events.unapplied(ada.id, kinds, NOON, 9)
        newest = await uow.webhook_events.unapplied(ada.id, kinds, NOON, 2)
    assert list(found) == [alone, wide, replace(dead, attempts=1), pending]
    assert list(newest) == [alone, wide]
