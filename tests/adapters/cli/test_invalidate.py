import asyncio
from datetime import UTC, datetime

import pytest
from click.testing import CliRunner
from msgspec.structs import replace

from adapters.cli import main
from adapters.persistence.storage import PiccoloStorage
from domain.integration import Status
from domain.secret import Secret
from tests.adapters.sound_environ import SOUND
from tests.contracts.persistence.caching import (
    BUSY,
    EVENT_TYPES,
    SCHEDULES,
    invalidations,
    put,
    slots,
)
from tests.contracts.persistence.world import World
from tests.fakes.clock import FakeClock
from tests.fakes.randomness import FakeRandomness

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
ENTRIES = [replace(each, fetched_at=LONG_AGO) for each in (slots(), BUSY, EVENT_TYPES, SCHEDULES)]


@pytest.mark.parametrize("connected", [True, False])
async def test_one_integration_is_invalidated(
    piccolo_storage: PiccoloStorage, database_url: Secret, *, connected: bool
) -> None:
    """An operator invalidates everything cached for one integration, and sees the next steps."""
    world = World(piccolo_storage, FakeRandomness(), FakeClock())
    lost = {} if connected else {"status": Status.REAUTH_REQUIRED, "tokens": None}
    ada, grace = await world.connect("ada", **lost), await world.connect("grace")
    for owner in (ada, grace):
        await put(piccolo_storage, owner, *ENTRIES)
    environ = SOUND | {"DATABASE_URL": database_url.reveal(), "TEMPORAL_ADDRESS": "127.0.0.1:1"}

    ended = await asyncio.to_thread(
        CliRunner().invoke, main, ["invalidate", str(ada.id)], env=environ
    )

    assert ended.exit_code == 0
    assert "Readers get the cached values" in ended.output
    assert ("reauth_required" in ended.output) is not connected
    by = await invalidations(piccolo_storage, ada)
    assert by == {each.kind: "operator" for each in ENTRIES}
    assert await invalidations(piccolo_storage, grace) == {}
