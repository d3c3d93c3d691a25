import asyncio
import base64
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from click.testing import CliRunner, Result

from adapters.cli import main
from application.ports.storage.bookings import BookingQuery
from domain.secret import Secret
from tests.adapters.sound_environ import SOUND
from tests.faults.moved.accounts import Accounts
from tests.faults.moved.stage import Stage, staged


@pytest.fixture
async def stage(database_url: Secret) -> AsyncIterator[Stage]:
    """The product on real parts, with two accounts that nothing was fetched of yet."""
    async with staged(2, database_url) as made:
        yield made


async def reconcile(stage: Stage, database: Secret, *arguments: str) -> Result:
    """Run the command, as a process of an operator does, on the stage's parts."""
    environ = SOUND | {
        "DATABASE_URL": database.reveal(),
        "CALENDLY_API_URL": stage.calendly.url,
        "CALENDLY_AUTH_URL": stage.calendly.url,
        "TOKEN_ENCRYPTION_KEYS": f"k1:{base64.b64encode(bytes(32)).decode()}",
    }
    return await asyncio.to_thread(
        CliRunner().invoke, main, ["reconcile", *arguments], env=environ
    )


async def test_all_or_one(stage: Stage, database_url: Secret) -> None:
    """An operator compares all bookings, or one account's, and reads the result."""
    accounts = Accounts(stage)
    await accounts.connect(2)
    await stage.calendly.control("POST", "/invitees/bulk", count=5)

    first = await reconcile(stage, database_url)
    await stage.calendly.control("POST", "/invitees", user="user-00001@sandbox.example")
    one = await reconcile(stage, database_url, str(accounts.ids[0]), "--wide")

    assert (first.exit_code, first.output) == (0, "Compared 2 integrations: backfilled 2.\n")
    assert (one.exit_code, one.output) == (0, "Compared: unsubscribed, 1 booking.\n")
    user_id = (await accounts.all())[0].user_id
    async with stage.made.storage() as uow:
        found = await uow.bookings.page(user_id, BookingQuery(limit=9))
    assert len(found) == 2


async def test_an_integration_that_cannot_be_compared_is_reported(
    stage: Stage, database_url: Secret
) -> None:
    """An unknown id, and an account that Calendly refuses, end with an exit status of 1."""
    accounts = Accounts(stage)
    await accounts.connect(2)
    await stage.calendly.fault(path="/scheduled_events", kind="status", status=403, count=1)

    absent = await reconcile(stage, database_url, str(uuid4()))
    refused = await reconcile(stage, database_url)

    assert absent.exit_code == 1
    assert "integration_not_found" in absent.output
    assert refused.exit_code == 1
    assert "backfilled 1, failed (calendly_forbidden) 1" in refused.output
