import asyncio

import pytest

from adapters.system.clock import SystemClock
from domain.errors import CalendlyUnavailable, CalendlyUncertain, GrantRefused
from tests.fakes.calendly.fake_calendly import FakeCalendly


async def test_failures_come_in_order_and_end() -> None:
    """Scripted failures meet the next calls of that method only, then the fake is well again."""
    fake = FakeCalendly(SystemClock())
    user = fake.add_user().user_uri
    pair = fake.grant(user)
    fake.fail_next("refresh", CalendlyUnavailable("down"), times=2)
    fake.fail_next("refresh", CalendlyUncertain("lost"), processed=True)

    for error in (CalendlyUnavailable, CalendlyUnavailable, CalendlyUncertain, GrantRefused):
        with pytest.raises(error):
            await fake.refresh(pair.refresh, user_uri=user)

    assert fake.calls == {"refresh": 4}
    assert await fake.me(fake.access(user)) == fake.accounts[user]


async def test_an_outage_lasts_until_it_is_healed() -> None:
    """`fail_always` fails every call until `heal`."""
    fake = FakeCalendly(SystemClock())
    access = fake.access(fake.add_user().user_uri)
    fake.fail_always("me", CalendlyUnavailable("down"))
    for _ in range(3):
        with pytest.raises(CalendlyUnavailable):
            await fake.me(access)

    fake.heal()

    assert (await fake.me(access)).user_uri == access.user_uri


async def test_a_held_call_waits_for_its_release() -> None:
    """A held refresh has not spent its token until it is released."""
    fake = FakeCalendly(SystemClock())
    user = fake.add_user().user_uri
    pair = fake.grant(user)
    hold = fake.hold_next("refresh")
    held = asyncio.create_task(fake.refresh(pair.refresh, user_uri=user))
    await hold.reached.wait()

    second = await fake.refresh(pair.refresh, user_uri=user)
    hold.release()

    assert second.refresh != pair.refresh
    with pytest.raises(GrantRefused):
        await held
