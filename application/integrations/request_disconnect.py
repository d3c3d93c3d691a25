"""Ask for an account to be disconnected."""

from application.ports.jobs import Jobs
from application.ports.storage.unit_of_work import Storage
from domain.ids import UserId


class RequestDisconnect:
    """Stops all use of the integration immediately; a durable job does the rest."""

    def __init__(self, *, storage: Storage, jobs: Jobs) -> None:
        self._storage = storage
        self._jobs = jobs

    async def __call__(self, user_id: UserId) -> bool:
        """Begin to disconnect, or go on with it; False when there was nothing to disconnect.

        Raises:
            JobsUnavailable: marked, but the job could not be started. Repeating the request
                starts it; otherwise the sweep over all integrations does (HealSubscriptions).

        """
        async with self._storage() as uow:
            integration = await uow.integrations.for_user(user_id, lock=True)
            if integration is None:
                return False
            await uow.integrations.mark_disconnecting(integration.id)
            await uow.commit()
        await self._jobs.disconnect(integration.id)
        return True
