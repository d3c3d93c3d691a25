"""Mark everything cached for one user as invalidated, because an operator or caller asks."""

from dataclasses import dataclass

from application.ports.clock import Clock
from application.ports.storage.availability_cache import Scope
from application.ports.storage.unit_of_work import Storage, UnitOfWork
from domain.errors import IntegrationNotFound
from domain.ids import IntegrationId, UserId
from domain.integration import Integration, Status

BY = "operator"


@dataclass(frozen=True, kw_only=True)
class InvalidateAvailability:
    """From then on no process reports earlier entries as fresh.

    Nothing is fetched here: readers get the last known entries, marked as invalidated, and the
    user is due for a sync now.
    """

    storage: Storage
    clock: Clock

    async def __call__(self, integration_id: IntegrationId) -> Integration:
        """Invalidate an integration's entries; return it. Raises IntegrationNotFound."""
        async with self.storage() as uow:
            return await self._invalidate(uow, await uow.integrations.get(integration_id))

    async def for_user(self, user_id: UserId) -> Integration:
        """Invalidate a user's entries; return the integration. Raises IntegrationNotFound."""
        async with self.storage() as uow:
            return await self._invalidate(uow, await uow.integrations.for_user(user_id))

    async def _invalidate(self, uow: UnitOfWork, integration: Integration | None) -> Integration:
        if integration is None or integration.status is Status.DISCONNECTING:
            raise IntegrationNotFound("No Calendly account is connected.")
        await uow.availability.invalidate(
            [integration.user_id], self.clock.now(), by=BY, scope=Scope.EVERYTHING
        )
        await uow.commit()
        return integration
