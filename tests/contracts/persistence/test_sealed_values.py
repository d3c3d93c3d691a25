from collections import Counter
from datetime import timedelta

import pytest

from application.ports.storage.encrypted_values import SealedValue
from application.ports.storage.unit_of_work import Storage
from domain.integration import Integration
from domain.token import SealedTokens
from tests.contracts.persistence.world import World
from tests.fakes.clock import NOON
from tests.refresh_records import finish

ACCESS = "calendly_integration.access_token_sealed"
REFRESH = "calendly_integration.refresh_token_sealed"
LEASE = timedelta(seconds=90)


def tokens(key: str) -> SealedTokens:
    """Return a pair that looks as if a key had sealed it."""
    return SealedTokens(
        access=f"v1.{key}.access",
        refresh=f"v1.{key}.refresh",
        expires_at=NOON + timedelta(hours=2),
        version=1,
    )


async def read(
    storage: Storage, column: str, limit: int = 2, *, but_under: str | None = None
) -> list[SealedValue]:
    """Return every value of a column, page by page."""
    found: list[SealedValue] = []
    after: int | None = 0
    while after is not None:
        async with storage() as uow:
            page = await uow.sealed_values.page(column, after, limit, but_under=but_under)
        assert len(page.values) <= limit
        found += page.values
        after = page.after
    return found


async def replace(storage: Storage, column: str, value: SealedValue, after: str) -> int:
    """Put another text in the place of a value."""
    async with storage() as uow:
        count = await uow.sealed_values.replace(column, [(value, after)], NOON)
        await uow.commit()
    return count


@pytest.mark.parametrize("limit", [1, 2, 9])
async def test_pages(storage: Storage, world: World, limit: int) -> None:
    """Pages of any size hold every value once, named by its row and bound to its column."""
    made = [await world.connect(str(number), tokens=tokens("k1")) for number in range(5)]

    found = await read(storage, REFRESH, limit)

    assert [each.owner for each in found] == [each.id for each in made]
    assert [each.bound_to for each in found] == [
        f"calendly_integration:{each.id}:refresh" for each in made
    ]
    assert {each.sealed for each in found} == {"v1.k1.refresh"}


async def test_leaves_out_a_key(storage: Storage, world: World) -> None:
    """Values under the named key are skipped; all other values, sealed or not, are returned."""
    for name in ("k1", "k2", "k10", "k2"):
        await world.connect(f"{name}-{world.randomness.new_id()}", tokens=tokens(name))
    await world.connect("odd", tokens=SealedTokens("odd", "odd", NOON, 1))

    found = await read(storage, ACCESS, but_under="k2")

    assert [each.sealed for each in found] == ["v1.k1.access", "v1.k10.access", "odd"]


async def test_counts(storage: Storage, world: World) -> None:
    """Values are counted by the key that they name, an empty one where they name none."""
    for number, name in enumerate(("k1", "k2", "k2")):
        await world.connect(str(number), tokens=tokens(name))
    await world.connect("odd", tokens=SealedTokens("odd", "odd", NOON, 1))

    counted: Counter[str] = Counter()
    after: int | None = 0
    while after is not None:
        async with storage() as uow:
            counts = await uow.sealed_values.count(ACCESS, after)
        counted.update(counts.by_key)
        after = counts.after

    assert counted == {"k1": 1, "k2": 2, "": 1}


async def test_replaces(storage: Storage, world: World) -> None:
    """A value is replaced once, where it is still what was read; its neighbours stay."""
    ada = await world.connect("ada", tokens=tokens("k1"))
    bob = await world.connect("bob", tokens=tokens("k1"))
    first, _ = await read(storage, REFRESH)

    counts = [await replace(storage, REFRESH, first, f"v1.k2.{text}") for text in ("a", "b")]

    assert counts == [1, 0]
    changed = (await world.now(ada.id)).tokens
    assert changed is not None
    assert (changed.refresh, changed.access) == ("v1.k2.a", "v1.k1.access")
    assert (await world.now(bob.id)).tokens == bob.tokens


@pytest.mark.parametrize(("ago", "replaced"), [(LEASE - timedelta(seconds=1), 0), (LEASE, 1)])
async def test_spares_a_lease(
    storage: Storage, ada: Integration, ago: timedelta, replaced: int
) -> None:
    """A row under a live refresh lease is left alone; a lease that is over is ended."""
    taken_at = NOON - ago
    async with storage() as uow:
        taken = await uow.refresh_queue.take(ada.id, "somebody", taken_at, taken_at + LEASE)
        await uow.commit()
    assert taken is not None
    (value,) = await read(storage, REFRESH)

    assert await replace(storage, REFRESH, value, "v1.k2.new") == replaced

    integration, lease = taken
    async with storage() as uow:
        late = await finish(uow, integration, lease, expected_version=1, next_attempt_at=None)
    assert late is not bool(replaced)
