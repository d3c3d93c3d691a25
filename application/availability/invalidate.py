"""Declare everything that is cached of one user overtaken, because a person says so."""

from application.ports.clock import Clock
from application.ports.storage.availability_cache import Scope
from application.ports.storage.unit_of_work import Storage, UnitOfWork
from domain.errors import IntegrationNotFound
from domain.ids import IntegrationId, UserId
from domain.integration import Integration, Status

BY = "operator"


class InvalidateAvailability:
    """What was fetched before is not called fresh by any process from then on.

    Nothing is fetched here: readers get the last known, marked, and the sync is due at once.
    """

    def __init__(self, *, storage: Storage, clock: Clock) -> None:
        self._storage = storage
        self._clock = clock

    async def __call__(self, integration_id: IntegrationId) -> Integration:
        """Invalidate what an integration has; return it. Raises IntegrationNotFound."""
        async with self._storage() as uow:
            return await self._invalidate(uow, await uow.integrations.get(integration_id))

    async def for_user(self, user_id: UserId) -> Integration:
        """Invalidate what a user's integration has; return it. Raises IntegrationNotFound."""
        async with self._storage() as uow:
            return await self._invalidate(uow, await uow.integrations.for_user(user_id))

    async def _invalidate(self, uow: UnitOfWork, found: Integration | None) -> Integration:
        if found is None or found.status is Status.DISCONNECTING:
            raise IntegrationNotFound("No Calendly account is connected.")
        await uow.availability.invalidate(
            [found.user_id], self._clock.now(), by=BY, scope=Scope.EVERYTHING
        )
        await uow.commit()
        return found
