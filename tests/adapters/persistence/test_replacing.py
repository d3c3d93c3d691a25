"""One Calendly account replaces another, on PostgreSQL, in several concurrent processes."""

import asyncio

import asyncpg
from msgspec.structs import replace

from adapters.persistence.storage import PiccoloStorage
from application.integrations.store_integration import StoredIntegration, StoreIntegration
from application.ports.storage.connect_attempts import ConnectAttempt
from domain.integration import Account, Integration, Status
from tests.contracts.persistence.world import World
from tests.fakes.calendly.fake_calendly import FakeCalendly
from tests.fakes.clock import NOON, FakeClock
from tests.fakes.jobs import FakeJobs
from tests.fakes.randomness import FakeRandomness
from tests.fakes.vault import FakeVault
from tests.refresh_records import finish

RACERS = 5


class Stage:
    """Connect flows that all end in one PostgreSQL."""

    def __init__(
        self, storage: PiccoloStorage, randomness: FakeRandomness, owner: Integration
    ) -> None:
        self.clock = FakeClock()
        self.calendly = FakeCalendly(self.clock)
        self.jobs = FakeJobs()
        self._attempt = ConnectAttempt(b"s" * 32, owner.user_id, "sealed", NOON, replaces=True)
        self._store = StoreIntegration(
            storage=storage,
            vault=FakeVault(),
            oauth=self.calendly,
            jobs=self.jobs,
            clock=self.clock,
            randomness=randomness,
        )

    async def keep(self, account: Account) -> StoredIntegration:
        """End one flow with a grant of this account."""
        return await self._store.run(self._attempt, self.calendly.grant(account.user_uri), account)


async def statuses(sql: asyncpg.Connection) -> list[tuple[str, str]]:
    """Return (id, status) of every integration."""
    rows = await sql.fetch("SELECT public_id, status FROM calendly_integration")
    return [(str(row["public_id"]), row["status"]) for row in rows]


async def test_of_many_replacements_one_stays(
    piccolo_storage: PiccoloStorage,
    randomness: FakeRandomness,
    ada: Integration,
    sql: asyncpg.Connection,
) -> None:
    """Accounts that replace one another concurrently leave one, and every other one is ended."""
    stage = Stage(piccolo_storage, randomness, ada)
    accounts = [stage.calendly.add_user(f"User {number}") for number in range(RACERS)]

    kept = await asyncio.gather(*(stage.keep(each) for each in accounts))

    now = await statuses(sql)
    staying = {each for each, status in now if status != Status.DISCONNECTING}
    replaced = {str(each.replaced) for each in kept}
    assert len(now) == RACERS + 1
    assert len(replaced) == RACERS
    assert staying == {each for each, _ in now} - replaced
    assert set(stage.jobs.started) == {f"integration/{each}/disconnect" for each in replaced}


async def test_of_many_flows_of_one_account_one_integration_comes(
    piccolo_storage: PiccoloStorage,
    randomness: FakeRandomness,
    ada: Integration,
    sql: asyncpg.Connection,
) -> None:
    """The same account that consents in many windows replaces the old one once."""
    stage = Stage(piccolo_storage, randomness, ada)
    account = stage.calendly.add_user()

    kept = await asyncio.gather(*(stage.keep(account) for _ in range(RACERS)))

    assert len({each.integration.id for each in kept}) == 1
    assert [each.replaced for each in kept if each.replaced] == [ada.id]
    assert sorted(status for _, status in await statuses(sql)) == ["active", "disconnecting"]


async def test_a_refresh_of_the_old_one_ends_on_the_old_one(
    piccolo_storage: PiccoloStorage, randomness: FakeRandomness, world: World, ada: Integration
) -> None:
    """A pair that comes for a replaced account is stored with that account, and keeps leaving."""
    stage = Stage(piccolo_storage, randomness, ada)
    later = NOON.replace(hour=13)
    async with piccolo_storage() as uow:
        taken = await uow.refresh_queue.take(ada.id, "me", NOON, later)
        await uow.commit()
    assert taken is not None
    assert ada.tokens is not None
    kept = await stage.keep(stage.calendly.add_user())
    fresh = replace(ada, tokens=replace(ada.tokens, version=2))

    async with piccolo_storage() as uow:
        stored = await finish(uow, fresh, taken[1], expected_version=1, next_attempt_at=None)
        await uow.commit()

    old, new = await world.now(ada.id), await world.now(kept.integration.id)
    assert stored
    assert (old.status, old.tokens) == (Status.DISCONNECTING, fresh.tokens)
    assert (new.status, new.tokens) == (Status.ACTIVE, kept.integration.tokens)
