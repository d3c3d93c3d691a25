from datetime import timedelta
from typing import Any

import pytest

from application.bookings.idempotency import LEASE, SEND_WITHIN
from application.ports.storage.booking_commands import Operation
from domain.errors import BookingNotFound, CommandInProgress
from domain.errors.root import Kind
from tests.application.support.building import Product
from tests.application.support.host_setup import host
from tests.application.support.process import Process
from tests.fakes.booking_commands import FakeBookingCommands


async def test_an_account_erased_during_a_booking_leaves_no_result(
    product: Product, process: Process
) -> None:
    """A booking that was created while the account was erased here is reported as missing."""
    ada = await host(product)
    command = await process.commands.start(ada.integration.user_id, "key", Operation.BOOK, "x")
    facts = product.calendly.invitee_books(ada.event_type.uri, ada.starts[0])
    async with product.storage() as uow:
        await uow.integrations.erase(ada.integration.id)
        await uow.commit()

    with pytest.raises(BookingNotFound):
        await process.commands.complete(command, ada.integration, [facts])

    assert product.storage.state.bookings == {}
    assert product.storage.state.booking_commands == {}


async def test_a_command_that_another_process_took_over_is_not_sent(
    product: Product, process: Process
) -> None:
    """A process that lost the command raises a transient error and sends nothing."""
    ada = await host(product)
    lost = await process.commands.start(ada.integration.user_id, "key", Operation.BOOK, "x")
    product.clock.advance(LEASE)
    taken = await process.commands.start(ada.integration.user_id, "key", Operation.BOOK, "x")

    with pytest.raises(CommandInProgress) as refusal:
        await process.commands.mark_sent(lost)

    assert refusal.value.kind is Kind.TRANSIENT
    assert product.storage.state.booking_commands[lost.id] == taken


async def test_a_process_that_was_suspended_after_the_record_sends_nothing(
    product: Product, process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lease may be over when a suspended process continues, so the request stays unsent."""
    ada = await host(product)
    command = await process.commands.start(ada.integration.user_id, "key", Operation.BOOK, "x")
    mark_sent = FakeBookingCommands.mark_sent

    async def then_suspended(self: FakeBookingCommands, *values: Any) -> bool:
        marked = await mark_sent(self, *values)
        product.clock.advance(SEND_WITHIN + timedelta(seconds=1))
        return marked

    monkeypatch.setattr(FakeBookingCommands, "mark_sent", then_suspended)

    with pytest.raises(CommandInProgress):
        await process.commands.mark_sent(command)


async def test_a_late_finisher_returns_what_it_did(product: Product, process: Process) -> None:
    """A process that completes a command that another one took over gets only the booking."""
    ada = await host(product)
    lost = await process.commands.start(ada.integration.user_id, "key", Operation.BOOK, "x")
    product.clock.advance(LEASE)
    taken = await process.commands.start(ada.integration.user_id, "key", Operation.BOOK, "x")
    facts = product.calendly.invitee_books(ada.event_type.uri, ada.starts[0])

    performed = await process.commands.complete(lost, ada.integration, [facts])

    assert performed.view.booking.facts == facts
    assert product.storage.state.booking_commands[lost.id] == taken
