from datetime import timedelta

import pytest

from application.ports.storage.unit_of_work import Storage
from application.ports.storage.webhook_archive import StoredWebhook, WebhookQuery, WebhookStatus
from application.ports.storage.webhook_events import WebhookEvent
from domain.errors import SealedValueUnreadable
from domain.ids import WebhookEventId
from domain.integration import Integration
from tests.contracts.persistence.test_webhook_events import claim, event, store
from tests.contracts.persistence.world import World
from tests.fakes.clock import NOON
from tests.fakes.storage import FakeStorage
from tests.fakes.vault import FakeVault

CLI = "cli"

LATER = NOON + timedelta(hours=1)


async def found(storage: Storage, event_id: WebhookEventId) -> StoredWebhook:
    """Return one as operators see it."""
    async with storage() as uow:
        webhook = await uow.webhook_archive.find(event_id)
    assert webhook is not None
    return webhook


async def page(storage: Storage, query: WebhookQuery) -> list[WebhookEventId]:
    """Return the ids of a page."""
    async with storage() as uow:
        return [each.id for each in await uow.webhook_archive.page(query)]


async def filed(storage: Storage, world: World) -> dict[str, WebhookEvent]:
    """Store an event of every status."""
    names = ("pending", "applied", "ignored", "malformed", "bug")
    made = {name: event(world, name) for name in names}
    await store(storage, *made.values())
    async with storage() as uow:
        await uow.webhook_events.applied(made["applied"].id, NOON)
        await uow.webhook_events.ignored(made["ignored"].id, "unknown_kind", NOON)
        await uow.webhook_events.failed(made["malformed"].id, "webhook_malformed", None)
        await uow.webhook_events.failed(made["bug"].id, "unexpected", None)
        await uow.commit()
    return made


async def replay(storage: Storage, *event_ids: WebhookEventId, by: str = "cli") -> int:
    """Put back, committed."""
    async with storage() as uow:
        count = await uow.webhook_archive.replay(event_ids, by, LATER)
        await uow.commit()
    return count


async def test_seen(storage: Storage, world: World, ada: Integration) -> None:
    """An operator sees a webhook's kind, owner and status; never its body."""
    stored = event(world, "one", integration_id=ada.id, user_id=ada.user_id)
    await store(storage, stored)

    assert await found(storage, stored.id) == StoredWebhook(
        id=stored.id,
        kind="invitee.created",
        status=WebhookStatus.PENDING,
        attempts=0,
        reason=None,
        received_at=NOON,
        occurred_at=stored.occurred_at,
        next_attempt_at=NOON,
        settled_at=None,
        integration_id=ada.id,
    )


async def test_absent(storage: Storage, world: World) -> None:
    """An id that names nothing has neither a record nor a body, and is not put back."""
    unknown = WebhookEventId(world.randomness.new_id())

    async with storage() as uow:
        assert await uow.webhook_archive.find(unknown) is None
        assert await uow.webhook_archive.body(unknown) is None
    assert await replay(storage, unknown) == 0


async def test_pages(storage: Storage, world: World) -> None:
    """The latest come first, and pages by keyset hold each once."""
    made = [event(world, str(number)) for number in range(5)]
    await store(storage, *made)
    latest_first = [each.id for each in made][::-1]

    first = await page(storage, WebhookQuery(limit=2))
    rest = await page(storage, WebhookQuery(limit=9, after=first[-1]))

    assert first + rest == latest_first
    assert await page(storage, WebhookQuery(limit=9, after=latest_first[-1])) == []


@pytest.mark.parametrize(
    ("status", "reason", "expected"),
    [
        (WebhookStatus.PENDING, None, ["pending"]),
        (WebhookStatus.APPLIED, None, ["applied"]),
        (WebhookStatus.IGNORED, None, ["ignored"]),
        (WebhookStatus.DEAD_LETTERED, None, ["bug", "malformed"]),
        (WebhookStatus.DEAD_LETTERED, "unexpected", ["bug"]),
        (None, "unknown_kind", ["ignored"]),
        (WebhookStatus.APPLIED, "unexpected", []),
    ],
)
async def test_narrowed(
    storage: Storage,
    world: World,
    status: WebhookStatus | None,
    reason: str | None,
    expected: list[str],
) -> None:
    """A list may be narrowed by status and by reason."""
    made = await filed(storage, world)

    query = WebhookQuery(limit=9, status=status, reason=reason)

    assert await page(storage, query) == [made[name].id for name in expected]


@pytest.mark.parametrize("name", ["pending", "applied", "ignored", "malformed", "bug"])
async def test_put_back(storage: Storage, world: World, name: str) -> None:
    """A replayed event of any status is due immediately, with no counted attempts."""
    stored = (await filed(storage, world))[name]

    assert await replay(storage, stored.id) == 1

    seen = await found(storage, stored.id)
    assert (seen.status, seen.attempts, seen.reason) == (WebhookStatus.PENDING, 0, None)
    assert (seen.next_attempt_at, seen.settled_at) == (LATER, None)
    assert stored.id in [each.id for each in await claim(storage, LATER)]


async def test_recorded(storage: Storage, world: World) -> None:
    """Each replay is recorded with its time and operator; other events have no record."""
    one, other = event(world, "one"), event(world, "other")
    await store(storage, one, other)
    await replay(storage, one.id, by="api:sk_first")
    await replay(storage, one.id, by="cli")

    seen, untouched = await found(storage, one.id), await found(storage, other.id)

    assert (seen.replays, seen.replayed_at, seen.replayed_by) == (2, LATER, "cli")
    assert (untouched.replays, untouched.replayed_at, untouched.replayed_by) == (0, None, None)


async def test_dead_letters_go_back(storage: Storage, world: World) -> None:
    """Dead letters go back a page at a time, the oldest first; other events stay."""
    made = await filed(storage, world)
    async with storage() as uow:
        first = await uow.webhook_archive.replay_dead_letters(CLI, LATER, 1)
        await uow.commit()
    assert first == 1
    dead = WebhookQuery(limit=9, status=WebhookStatus.DEAD_LETTERED)
    assert await page(storage, dead) == [made["bug"].id]

    async with storage() as uow:
        none = await uow.webhook_archive.replay_dead_letters(CLI, LATER, 9, "webhook_malformed")
        rest = await uow.webhook_archive.replay_dead_letters(CLI, LATER, 9, "unexpected")
        await uow.commit()

    assert (none, rest) == (0, 1)
    assert (await found(storage, made["applied"].id)).replays == 0
    assert (await found(storage, made["bug"].id)).replays == 1


async def test_body(storage: Storage, world: World) -> None:
    """The body is the bytes that arrived."""
    stored = event(world, "one", body=bytes(range(256)))
    await store(storage, stored)

    async with storage() as uow:
        assert await uow.webhook_archive.body(stored.id) == bytes(range(256))


async def test_body_that_does_not_open(storage: Storage, world: World, vault: FakeVault) -> None:
    """A body whose key is gone is a clear error, and its record is still seen."""
    stored = event(world, "one")
    await store(storage, stored)
    if isinstance(storage, FakeStorage):
        row = storage.state.webhook_events[stored.id]
        corrupt = type(row.event)(
            **{name: getattr(row.event, name) for name in row.event.__struct_fields__}
            | {"fault": "encryption_key_unknown"}
        )
        storage.state.webhook_events[stored.id] = type(row)(corrupt, row.next_attempt_at)
    old = vault.sealing_key_id
    vault.rotate()
    vault.lose(old)

    async with storage() as uow:
        with pytest.raises(SealedValueUnreadable):
            await uow.webhook_archive.body(stored.id)
    assert (await found(storage, stored.id)).status is WebhookStatus.PENDING


async def test_retry_later(storage: Storage, world: World) -> None:
    """A postponed event keeps its reason, and no attempt is counted; a settled one stays."""
    made = await filed(storage, world)
    async with storage() as uow:
        for name in ("pending", "applied"):
            await uow.webhook_events.retry_later(made[name].id, "encryption_key_unknown", LATER)
        await uow.commit()

    waiting = await found(storage, made["pending"].id)

    assert (waiting.attempts, waiting.reason) == (0, "encryption_key_unknown")
    assert waiting.next_attempt_at == LATER
    assert (await found(storage, made["applied"].id)).reason is None
    assert await claim(storage) == []
