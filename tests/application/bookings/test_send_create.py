import asyncio

import pytest

from application.bookings.idempotency import LEASE
from application.bookings.send_create import SendBooking
from application.ports.calendly.bookings import BookingRequest
from application.ports.storage.booking_commands import BookingCommand, Operation
from domain.errors import CalendlyUncertain, CommandInProgress
from tests.application.support.building import Product
from tests.application.support.host_setup import Host, host
from tests.application.support.process import Process


@pytest.fixture
async def ada(product: Product) -> Host:
    """A host."""
    return await host(product)


@pytest.fixture
async def command(process: Process, ada: Host) -> BookingCommand:
    """A command to book."""
    return await process.commands.start(ada.integration.user_id, "key", Operation.BOOK, "x")


async def send(process: Process, ada: Host, command: BookingCommand) -> None:
    """Book the first slot."""
    sending = SendBooking(
        commands=process.commands, session=process.session, calendly=process.calendly
    )
    request = BookingRequest(
        event_type_uri=ada.event_type.uri,
        start=ada.starts[0],
        name="Grace Invitee",
        email="grace@example.net",
        timezone="UTC",
        reference=f"slotkeeper:{command.id}",
    )
    await sending.send(ada.integration, request, command)


async def test_nothing_is_sent_for_a_lost_command(
    product: Product, process: Process, ada: Host, command: BookingCommand
) -> None:
    """After a later attempt took the command over, the earlier one books nothing."""
    product.clock.advance(LEASE)
    await process.commands.start(ada.integration.user_id, "key", Operation.BOOK, "x")

    with pytest.raises(CommandInProgress):
        await send(process, ada, command)

    assert product.calendly.calls["book"] == 0


async def test_the_lease_is_renewed_whenever_the_request_leaves(
    product: Product, process: Process, ada: Host, command: BookingCommand
) -> None:
    """A request that leaves late, after its token was refreshed, has a whole lease from then."""
    product.calendly.expire_access_tokens(ada.integration.account.user_uri)
    refresh = product.calendly.hold_next("refresh")
    sending = asyncio.create_task(send(process, ada, command))
    await refresh.reached.wait()
    product.clock.advance(LEASE * 0.6)
    post = product.calendly.hold_next("book")
    refresh.release()
    await post.reached.wait()

    stored = product.storage.state.booking_commands[command.id]
    assert stored.lease_until == product.clock.now() + LEASE
    post.release()
    await sending
    assert product.calendly.calls["book"] == 2
    assert len(product.calendly.invitees) == 1


async def test_an_unknown_outcome_says_when_to_retry(
    product: Product, process: Process, ada: Host, command: BookingCommand
) -> None:
    """A lost answer carries what is left of the lease, counted from the request's leaving."""
    product.clock.advance(LEASE * 0.5)
    product.calendly.fail_next("book", CalendlyUncertain("lost"))
    post = product.calendly.hold_next("book")
    sending = asyncio.create_task(send(process, ada, command))
    await post.reached.wait()
    product.clock.advance(LEASE * 0.25)
    post.release()

    with pytest.raises(CalendlyUncertain) as lost:
        await sending

    assert lost.value.retry_after == LEASE.total_seconds() * 0.75
