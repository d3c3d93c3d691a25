"""A refused grant is kept and asked again; refusals of many accounts inform few users."""

from collections.abc import Sequence
from datetime import timedelta

import pytest
from msgspec.structs import replace

from application.ports.storage.breakers import Surface
from domain.circuit_breaker import PROBE_TIMEOUT, BreakerState
from domain.errors import ClientRefused, GrantRefused, ReauthRequired
from domain.integration import Cause, Integration, Recovery, Status
from domain.refusal import MANY_ACCOUNTS
from tests.application.support.building import Product
from tests.application.support.process import Process

NEARLY_DEAD = timedelta(minutes=90)
WAITS = (timedelta(minutes=15), timedelta(hours=2), timedelta(hours=24))


async def run(process: Process) -> dict[str, int]:
    """Run the job to its end or its first wait; return its failures."""
    failed: dict[str, int] = {}
    while True:
        page = await process.refresh_due(10, lambda _: None)
        for code, count in page.failed.items():
            failed[code] = failed.get(code, 0) + count
        if not page.more:
            return failed


async def connect(product: Product, count: int) -> list[Integration]:
    """Connect so many accounts, all due."""
    connected = [await product.connect(f"person-{number}") for number in range(count)]
    product.clock.advance(NEARLY_DEAD)
    return connected


async def statuses(product: Product, connected: Sequence[Integration]) -> list[Status]:
    """Return the stored statuses."""
    return [(await product.stored(each.id)).status for each in connected]


async def test_a_grant_that_comes_back_is_recovered(product: Product, process: Process) -> None:
    """An account that Calendly refused once is active again with the next run after 15 minutes."""
    (ada,) = await connect(product, 1)
    product.calendly.fail_next("refresh", GrantRefused("refused"))
    await run(process)
    product.clock.advance(WAITS[0])

    await run(process)

    stored = await product.stored(ada.id)
    assert stored.status is Status.ACTIVE
    assert stored.recovery == Recovery(Cause.GRANT_REFUSED, product.clock.now())
    assert (stored.attention, stored.refused_at, stored.refusals) == (None, None, 0)
    assert product.telemetry.seen["integration_recovered", Cause.GRANT_REFUSED] == 1


async def test_a_refused_grant_serves_no_call(product: Product, process: Process) -> None:
    """The user's calls say `reauth_required` from the first refusal, though the tokens are kept."""
    (ada,) = await connect(product, 1)
    product.calendly.revoke_grants(ada.account.user_uri)
    await run(process)

    with pytest.raises(ReauthRequired):
        await process.refresh.run(ada.id)

    assert (await product.stored(ada.id)).tokens is not None
    assert product.calendly.calls["refresh"] == 1


async def test_a_dead_grant_is_asked_three_times_and_erased(
    product: Product, process: Process
) -> None:
    """After the last wait the tokens go; cause and time stay those of the first refusal."""
    (ada,) = await connect(product, 1)
    product.calendly.revoke_grants(ada.account.user_uri)
    await run(process)
    first = await product.stored(ada.id)

    kept = []
    for wait in WAITS:
        product.clock.advance(wait - timedelta(seconds=1))
        await run(process)
        kept.append((await product.stored(ada.id)).tokens is not None)
        product.clock.advance(timedelta(seconds=1))
        await run(process)
    product.clock.advance(timedelta(days=9))
    await run(process)

    last = await product.stored(ada.id)
    assert kept == [True, True, True]
    assert product.calendly.calls["refresh"] == 1 + len(WAITS)
    assert last.tokens is None
    assert last.attention == first.attention
    assert product.telemetry.seen["reauth_required", Cause.GRANT_REFUSED] == 1


async def test_an_outage_while_asking_again_erases_nothing(
    product: Product, process: Process
) -> None:
    """Only a refusal counts; whatever else happens to the request leaves the grant to be asked."""
    (ada,) = await connect(product, 1)
    product.calendly.fail_next("refresh", GrantRefused("refused"))
    await run(process)
    product.clock.advance(WAITS[0])
    product.calendly.fail_next("refresh", ClientRefused("wrong secret"))

    await run(process)
    stored = await product.stored(ada.id)
    product.clock.advance(timedelta(hours=1))
    await run(process)

    assert (stored.status, stored.refusals) == (Status.REAUTH_REQUIRED, 1)
    assert (await product.stored(ada.id)).status is Status.ACTIVE


async def test_another_clients_grant_is_not_sent(product: Product, process: Process) -> None:
    """With another app's credentials nothing is sent, and once they are corrected all is well."""
    connected = await connect(product, 3)
    async with product.storage() as uow:
        for each in connected:
            await uow.integrations.put_connected(replace(each, client_id="another"))
        await uow.commit()

    failed = await run(process)
    with pytest.raises(ClientRefused):
        await process.refresh.run(connected[0].id)
    sent = product.calendly.calls["refresh"]
    product.calendly.client_id = "another"
    corrected = Process(product, "corrected")
    await run(corrected)

    assert failed == {"client_refused": 3}
    assert product.telemetry.seen["foreign_grants", ""] == 3
    assert sent == 0
    assert product.calendly.calls["refresh"] == 3
    assert set(await statuses(product, connected)) == {Status.ACTIVE}


async def test_a_new_pair_names_its_client(product: Product, process: Process) -> None:
    """A row of an earlier version learns the client with its next refresh."""
    (ada,) = await connect(product, 1)

    await run(process)

    assert ada.client_id is None
    assert (await product.stored(ada.id)).client_id == product.calendly.client_id


async def test_a_mass_refusal_informs_few_and_erases_nothing(
    product: Product, process: Process
) -> None:
    """When Calendly refuses all accounts the brake holds, and all come back by themselves."""
    connected = await connect(product, 12)
    for _ in connected:
        product.calendly.fail_next("refresh", GrantRefused("refused"))

    failed = await run(process)
    told = (await statuses(product, connected)).count(Status.REAUTH_REQUIRED)
    opened = (await process.circuit_breakers.states())[Surface.MASS_REFUSAL].state
    product.calendly.heal()
    for _ in range(4):
        product.clock.advance(WAITS[0])
        await run(Process(product, "later"))

    assert told == MANY_ACCOUNTS - 1
    assert failed["grant_refused"] == told
    assert opened is BreakerState.OPEN
    assert set(await statuses(product, connected)) == {Status.ACTIVE}
    assert product.telemetry.seen["circuit_opened", Surface.MASS_REFUSAL] == 1


async def test_one_probe_at_a_time_asks_while_the_brake_holds(
    product: Product, process: Process
) -> None:
    """A refused probe opens the brake again, and the next one is another account's."""
    connected = await connect(product, 12)
    for each in connected:
        product.calendly.revoke_grants(each.account.user_uri)
    await run(process)
    sent = product.calendly.calls["refresh"]
    probed = []
    for _ in range(3):
        product.clock.advance(6 * PROBE_TIMEOUT)
        await run(process)
        probed.append(product.calendly.calls["refresh"] - sent)

    told = (await statuses(product, connected)).count(Status.REAUTH_REQUIRED)
    assert probed == [1, 2, 3]
    assert told == MANY_ACCOUNTS - 1


async def test_refusals_among_successes_are_the_users(product: Product, process: Process) -> None:
    """Several users who withdrew the access do not open the brake of a healthy installation."""
    connected = await connect(product, 40)
    for each in connected[::4]:
        product.calendly.revoke_grants(each.account.user_uri)

    await run(process)

    found = await statuses(product, connected)
    assert found.count(Status.REAUTH_REQUIRED) == 10
    assert (await process.circuit_breakers.states())[
        Surface.MASS_REFUSAL
    ].state is BreakerState.CLOSED
