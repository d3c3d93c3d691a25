import pytest

from application.integrations.request_disconnect import RequestDisconnect
from domain.errors import IntegrationNotFound, JobsUnavailable
from domain.integration import Status
from tests.application.support.building import Product
from tests.application.support.process import Process


@pytest.fixture
def request_disconnect(product: Product) -> RequestDisconnect:
    """The use case."""
    return RequestDisconnect(storage=product.storage, jobs=product.jobs)


async def test_a_disconnection_stops_all_use_at_once(
    product: Product, process: Process, request_disconnect: RequestDisconnect
) -> None:
    """From the request on no call is made for the account, and the job does the rest."""
    connected = await product.connect()

    began = await request_disconnect(connected.user_id)

    assert began
    assert (await product.stored(connected.id)).status is Status.DISCONNECTING
    assert product.jobs.started == [f"integration/{connected.id}/disconnect"]
    with pytest.raises(IntegrationNotFound):
        await process.session.call(connected.id, product.calendly.me)


async def test_repeating_goes_on_with_the_same_job(
    product: Product, request_disconnect: RequestDisconnect
) -> None:
    """A repeated request starts no second job."""
    connected = await product.connect()
    await request_disconnect(connected.user_id)

    assert await request_disconnect(connected.user_id)
    assert len(product.jobs.started) == 1


async def test_nothing_connected_is_nothing_to_do(
    product: Product, request_disconnect: RequestDisconnect
) -> None:
    """A user without an account gets an error, and no job starts."""
    assert not await request_disconnect(await product.user())
    assert product.jobs.started == []


async def test_without_the_engine_the_request_is_repeated(
    product: Product, request_disconnect: RequestDisconnect
) -> None:
    """When Temporal is down the account is marked already, and repeating starts the job."""
    connected = await product.connect()
    product.jobs.down = True
    with pytest.raises(JobsUnavailable):
        await request_disconnect(connected.user_id)
    assert (await product.stored(connected.id)).status is Status.DISCONNECTING
    product.jobs.down = False

    await request_disconnect(connected.user_id)

    assert product.jobs.started == [f"integration/{connected.id}/disconnect"]
