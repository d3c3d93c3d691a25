import asyncio
from datetime import timedelta

import pytest
from msgspec.structs import replace

from application.ports.storage.refresh_queue import RefreshEnd, RefreshStart, StartResult
from application.ports.storage.unit_of_work import Storage
from domain.integration import Cause, Integration, Lease, Status, needs_person, refreshed
from domain.token import TOKEN_REQUESTS
from tests import samples
from tests.contracts.persistence.world import World
from tests.fakes.clock import NOON

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
GRANTED, REFUSED = StartResult(granted=True), StartResult(granted=False)
CROWD = 12

Leased = tuple[Integration, Lease]


@pytest.fixture
async def leased_rows(storage: Storage, world: World) -> list[Leased]:
    """Integrations, each under a lease from noon for an hour."""
    for number in range(CROWD):
        await world.connect(f"user-{number}")
    async with storage() as uow:
        horizon = NOON + 3 * HOUR
        taken = await uow.refresh_queue.claim_due("me", NOON, NOON + HOUR, horizon, CROWD)
        await uow.commit()
    return taken


async def begin(storage: Storage, leased: Leased) -> StartResult:
    """Record a start at noon."""
    integration, lease = leased
    return await storage.refresh_log().begin(
        RefreshStart(integration.id, lease, NOON, NOON + HOUR, 1)
    )


async def finish(storage: Storage, changed: Integration, lease: Lease) -> bool:
    """Record an outcome of the first version's exchange."""
    return await storage.refresh_log().finish(RefreshEnd(changed, lease, expected_version=1))


def renewed(integration: Integration) -> Integration:
    """Return the integration with its second pair."""
    return refreshed(integration, samples.tokens(version=2), NOON)


async def test_starts_that_come_together(
    storage: Storage, world: World, leased_rows: list[Leased]
) -> None:
    """Each concurrent start is granted and stored; one whose lease was lost is not."""
    strayed = (leased_rows[0][0], replace(leased_rows[0][1], fence=leased_rows[0][1].fence + 1))

    starts = await asyncio.gather(*(begin(storage, each) for each in [strayed, *leased_rows[1:]]))

    assert starts == [REFUSED, *[GRANTED] * (CROWD - 1)]
    stored = [await world.now(integration.id) for integration, _ in leased_rows]
    assert [each.exchange_started_at for each in stored] == [None, *[NOON] * (CROWD - 1)]


async def test_each_start_counts_by_itself(storage: Storage, leased_rows: list[Leased]) -> None:
    """Starts of one integration that come together are all counted, up to Calendly's limit."""
    many = TOKEN_REQUESTS + 2

    starts = await asyncio.gather(*(begin(storage, leased_rows[0]) for _ in range(many)))

    assert [each.granted for each in starts] == [True] * TOKEN_REQUESTS + [False] * 2
    assert starts[-1].wait == MINUTE


async def test_outcomes_that_come_together(
    storage: Storage, world: World, leased_rows: list[Leased]
) -> None:
    """Each concurrent outcome is stored whole, regardless of the others."""
    changed = [renewed(each) for each, _ in leased_rows]
    changed[1] = needs_person(leased_rows[1][0], Cause.GRANT_REFUSED, NOON, code="grant_refused")
    changed[2] = replace(leased_rows[2][0], last_error_code="calendly_unavailable")
    changed[3] = replace(changed[3], scopes=("one",), connected_at=NOON - HOUR)

    stored = await asyncio.gather(
        *(
            finish(storage, new, lease)
            for new, (_, lease) in zip(changed, leased_rows, strict=True)
        )
    )

    assert stored == [each is not changed[3] for each in changed]
    found = [await world.now(integration.id) for integration, _ in leased_rows]
    assert found == [*changed[:3], leased_rows[3][0], *changed[4:]]


@pytest.mark.parametrize("pair_first", [True, False])
async def test_a_pair_outlives_a_refusal_that_comes_with_it(
    storage: Storage, world: World, leased_rows: list[Leased], *, pair_first: bool
) -> None:
    """A late pair is kept, also beside the refusal of the process that took the lease over."""
    integration, held = leased_rows[0]
    pair = finish(storage, renewed(integration), replace(held, fence=held.fence - 1))
    person = needs_person(integration, Cause.GRANT_REFUSED, NOON, code="grant_refused")
    refusal = finish(storage, person, held)

    await asyncio.gather(*((pair, refusal) if pair_first else (refusal, pair)))

    kept = await world.now(integration.id)
    assert (kept.status, kept.tokens) == (Status.ACTIVE, renewed(integration).tokens)


async def test_a_lease_is_free_after_its_outcome(
    storage: Storage, leased_rows: list[Leased]
) -> None:
    """The next process gets the lease after an outcome, unless the outcome keeps it for some time."""
    (first, lease), (second, other) = leased_rows[:2]
    await finish(storage, renewed(first), lease)
    await storage.refresh_log().finish(
        RefreshEnd(second, other, expected_version=1, keep_lease_until=NOON + MINUTE)
    )

    async with storage() as uow:
        assert await uow.refresh_queue.take(first.id, "next", NOON, NOON + HOUR) is not None
        assert await uow.refresh_queue.take(second.id, "next", NOON, NOON + HOUR) is None
        later = NOON + MINUTE
        assert await uow.refresh_queue.take(second.id, "next", later, later + HOUR) is not None
