"""The data of store tests, each step in one committed unit of work."""

from typing import Any

from msgspec.structs import replace

from application.ports.storage.unit_of_work import Storage
from application.ports.storage.webhook_events import WebhookEvent
from domain.booking import Booking, Facts
from domain.ids import IntegrationId, UserId, WebhookEventId
from domain.integration import Integration
from tests import samples
from tests.fakes.clock import FakeClock
from tests.fakes.randomness import FakeRandomness


class World:
    """Users, integrations and bookings in a store."""

    def __init__(self, storage: Storage, randomness: FakeRandomness, clock: FakeClock) -> None:
        self.storage = storage
        self.randomness = randomness
        self.clock = clock

    async def user(self, external_id: str) -> UserId:
        """Make a user."""
        async with self.storage() as uow:
            user_id = await uow.users.ensure(
                external_id, UserId(self.randomness.new_id()), self.clock.now()
            )
            await uow.commit()
        return user_id

    async def connect(self, external_id: str, **changes: Any) -> Integration:
        """Make a user with an integration."""
        user_id = await self.user(external_id)
        new = samples.integration(IntegrationId(self.randomness.new_id()), user_id, **changes)
        async with self.storage() as uow:
            await uow.integrations.put_connected(new)
            await uow.commit()
        return new

    def webhook(self, **changes: Any) -> WebhookEvent:
        """Return an event that arrived now, without an owner unless one is given."""
        id_, now = WebhookEventId(self.randomness.new_id()), self.clock.now()
        plain = WebhookEvent(id_, str(id_), "invitee.created", b"{}", now, now)
        return replace(plain, **changes)

    async def now(self, integration_id: IntegrationId) -> Integration:
        """Return an integration as it is stored."""
        async with self.storage() as uow:
            found = await uow.integrations.get(integration_id)
        assert found is not None
        return found

    async def book(self, owner: Integration, *all_facts: Facts) -> list[Booking]:
        """Make bookings of an integration."""
        made = [samples.booking(owner, self.randomness, each) for each in all_facts]
        async with self.storage() as uow:
            await uow.bookings.put(made)
            await uow.commit()
        return made
