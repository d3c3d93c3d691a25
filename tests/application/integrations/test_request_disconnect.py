import pytest

from application.integrations.request_disconnect import RequestDisconnect
from domain.audit import Actor, AuditAction
from domain.errors import IntegrationNotFound, JobsUnavailable
from domain.integration import Status
from tests.application.support.building import Product
from tests.application.support.process import Process

PROGRAM = Actor("key:1", "request-1")


@pytest.fixture
def request_disconnect(product: Product, process: Process) -> RequestDisconnect:
    """The use case."""
    return RequestDisconnect(storage=product.storage, jobs=product.jobs, audit=process.audit)


async def test_a_disconnection_stops_all_use_at_once(
    product: Product, process: Process, request_disconnect: RequestDisconnect
) -> None:
    """From the request on no call is made for the account, and the job does the rest."""
    connected = await product.connect()

    began = await request_disconnect(connected.user_id, PROGRAM)

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
    await request_disconnect(connected.user_id, PROGRAM)

    assert await request_disconnect(connected.user_id, PROGRAM)
    assert len(product.jobs.started) == 1


async def test_nothing_connected_is_nothing_to_do(
    product: Product, request_disconnect: RequestDisconnect
) -> None:
    """A user without an account gets an error, and no job starts."""
    assert not await request_disconnect(await product.user(), PROGRAM)
    assert product.jobs.started == []


async def test_without_the_engine_the_request_is_repeated(
    product: Product, request_disconnect: RequestDisconnect
) -> None:
    """When Temporal is down the account is marked already, and repeating starts the job."""
    connected = await product.connect()
    product.jobs.down = True
    with pytest.raises(JobsUnavailable):
        await request_disconnect(connected.user_id, PROGRAM)
    assert (await product.stored(connected.id)).status is Status.DISCONNECTING
    product.jobs.down = False

    await request_disconnect(connected.user_id, PROGRAM)

    assert product.jobs.started == [f"integration/{connected.id}/disconnect"]


async def test_a_disconnection_is_in_the_audit_trail(
    product: Product, process: Process, request_disconnect: RequestDisconnect
) -> None:
    """The entry is stored with the mark: the program, the request and the integration."""
    connected = await product.connect()

    await request_disconnect(connected.user_id, PROGRAM)

    (entry,) = await process.audit.page(10)
    assert entry.action == AuditAction.DISCONNECTED
    assert (entry.actor, entry.request_id) == ("key:1", "request-1")
    assert entry.subject_id == connected.id
