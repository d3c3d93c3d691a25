import pytest

from application.ports.booking_commands import Operation
from domain.errors import BookingNotFound
from tests.application.building import Product
from tests.application.offering import host
from tests.application.process import Process


async def test_an_account_erased_meanwhile_leaves_no_result(
    product: Product, process: Process
) -> None:
    """A booking that was made while the account was erased here is said not to be there."""
    ada = await host(product)
    command = await process.journal.open(ada.integration.user_id, "key", Operation.BOOK, "x")
    facts = product.calendly.invitee_books(ada.event_type.uri, ada.starts[0])
    async with product.storage() as uow:
        await uow.integrations.erase(ada.integration.id)
        await uow.commit()

    with pytest.raises(BookingNotFound):
        await process.journal.close(command, ada.integration, [facts])

    assert product.storage.state.bookings == {}
    assert product.storage.state.booking_commands[command.id].done_at is None
