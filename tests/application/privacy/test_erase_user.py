import pytest

from application.jobs.job_result import JobResult
from domain.audit import Actor
from domain.errors import (
    CalendlyUnavailable,
    ConnectStateInvalid,
    InvalidInput,
    StorageUnavailable,
)
from domain.integration import Integration, Status
from tests.application.support.building import Product
from tests.application.support.delivering import connect, created, deliver
from tests.application.support.process import Process

CLI = Actor("cli")

ADA = "ada"
SWEEP = "integration/{}/disconnect"


@pytest.fixture
async def ada(product: Product) -> Integration:
    """A connected user."""
    return await connect(product)


async def prune(process: Process) -> JobResult:
    """Run the daily job to its end."""
    total = JobResult()
    while True:
        page = await process.prune_webhooks(total.cursor, 2, lambda _: None)
        total = total.plus(page)
        if not page.more:
            return total


def is_gone(product: Product) -> bool:
    """Whether the store holds only the record of the erasure."""
    state = product.storage.state
    tables = (
        state.users,
        state.integrations,
        state.entries,
        state.bookings,
        state.webhook_events,
        state.booking_commands,
        state.connect_attempts,
    )
    return not any(tables)


async def test_a_connected_user(product: Product, process: Process, ada: Integration) -> None:
    """The id is free immediately, and after the job nothing of the user is left, here or there."""
    await deliver(process, created(1), ada)

    erasure = await process.erase_user(ADA, CLI)

    state = product.storage.state
    assert ADA not in state.users
    assert (await product.stored(ada.id)).status is Status.DISCONNECTING
    assert product.jobs.started == [SWEEP.format(ada.id)]
    await process.finish_disconnect(ada.id, forced=False)
    assert is_gone(product)
    assert product.calendly.calls["revoke"] == 2
    assert product.telemetry.seen["user_erased", erasure.id, 1, 1] == 1


async def test_a_user_without_an_account(product: Product, process: Process) -> None:
    """A user who only began to connect is deleted immediately, and the link connects nothing."""
    user_id = await product.user(ADA)
    await process.begin(user_id, bind_browser=False)

    await process.erase_user(ADA, CLI)

    assert is_gone(product)


async def test_an_unknown_user(product: Product, process: Process) -> None:
    """Known or not, the result has the same form, and a repetition causes no error."""
    first = await process.erase_user("nobody", CLI)
    second = await process.erase_user("nobody", CLI)

    assert first.id != second.id
    assert is_gone(product)
    assert product.jobs.started == []


async def test_another_user_stays(product: Product, process: Process, ada: Integration) -> None:
    """The erasure of one user touches no row of another one."""
    eve = await product.connect("eve")

    await process.erase_user(ADA, CLI)
    await process.finish_disconnect(ada.id, forced=False)

    assert list(product.storage.state.users) == ["eve"]
    assert list(product.storage.state.integrations) == [eve.id]


async def test_who_comes_back_is_a_new_user(
    product: Product, process: Process, ada: Integration
) -> None:
    """The same id names a new user immediately, and the end of the old one does not touch them."""
    await process.erase_user(ADA, CLI)
    back = await product.connect(ADA)

    await process.finish_disconnect(ada.id, forced=False)
    await prune(process)

    assert back.user_id != ada.user_id
    assert list(product.storage.state.users.values()) == [back.user_id]
    assert (await product.stored(back.id)).status is Status.ACTIVE


async def test_a_callback_that_is_under_way(
    product: Product, process: Process, ada: Integration
) -> None:
    """An account that is exchanged while the user is erased is not stored for them."""
    await process.erase_user(ADA, CLI)

    async with product.storage() as uow:
        with pytest.raises(ConnectStateInvalid):
            await uow.integrations.put_connected(ada)


async def test_without_temporal(product: Product, process: Process, ada: Integration) -> None:
    """If no job can be started, the erasure counts, and the daily job starts it."""
    product.jobs.down = True
    await process.erase_user(ADA, CLI)
    assert product.jobs.started == []
    product.jobs.down = False

    done = await prune(process)

    assert done.done == {}
    assert product.jobs.started == [SWEEP.format(ada.id)]


async def test_a_crash_before_the_row_is_deleted(
    product: Product, process: Process, ada: Integration
) -> None:
    """If the process dies between the integration's end and the user's, the daily job ends it."""
    await process.erase_user(ADA, CLI)
    async with product.storage() as uow:
        await uow.integrations.erase(ada.id)
        await uow.commit()
    assert not is_gone(product)

    done = await prune(process)

    assert done.done == {"users_erased": 1}
    assert is_gone(product)
    assert (await prune(process)).done == {}


async def test_a_lost_commit(product: Product, process: Process, ada: Integration) -> None:
    """An erasure whose commit fails has no effect, and a repetition has."""
    product.storage.fail_next_commit()
    with pytest.raises(StorageUnavailable):
        await process.erase_user(ADA, CLI)
    assert (await product.stored(ada.id)).status is Status.ACTIVE

    await process.erase_user(ADA, CLI)

    assert (await product.stored(ada.id)).status is Status.DISCONNECTING


async def test_calendly_is_down(product: Product, process: Process, ada: Integration) -> None:
    """Until the tokens are revoked or a day is over, the user's row stays, without the team's id."""
    await process.erase_user(ADA, CLI)
    product.calendly.fail_next("revoke", CalendlyUnavailable("down"))
    with pytest.raises(CalendlyUnavailable):
        await process.finish_disconnect(ada.id, forced=False)
    await prune(process)
    assert ADA not in product.storage.state.users
    assert ada.id in product.storage.state.integrations

    await process.finish_disconnect(ada.id, forced=True)

    assert is_gone(product)


@pytest.mark.parametrize("external_id", ["", " ada", "ada ", "a" * 256])
async def test_no_id(product: Product, process: Process, external_id: str) -> None:
    """A text that cannot be an id, such as that of a user being erased, is refused."""
    with pytest.raises(InvalidInput):
        await process.erase_user(external_id, CLI)
    assert product.storage.state.user_erasures == {}
