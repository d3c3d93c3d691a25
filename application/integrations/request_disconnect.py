"""Ask for an account to be disconnected."""

from dataclasses import dataclass

from application.ports.jobs import Jobs
from application.ports.storage.unit_of_work import Storage
from application.security.audit_trail import AuditTrail
from domain.audit import Actor, AuditAction
from domain.ids import UserId


@dataclass(frozen=True, kw_only=True)
class RequestDisconnect:
    """Stops all use of the integration immediately; a durable job does the rest."""

    storage: Storage
    jobs: Jobs
    audit: AuditTrail

    async def __call__(self, user_id: UserId, by: Actor) -> bool:
        """Begin to disconnect, or go on with it; False when there was nothing to disconnect.

        Args:
            user_id: whose integration.
            by: the program that asks, for the audit trail.

        Raises:
            JobsUnavailable: marked, but the job could not be started. Repeating the request
                starts it; otherwise the sweep over all integrations does (HealSubscriptions).

        """
        async with self.storage() as uow:
            integration = await uow.integrations.for_user(user_id, lock=True)
            if integration is None:
                return False
            await uow.integrations.mark_disconnecting(integration.id)
            await uow.audit.add(self.audit.entry(by, AuditAction.DISCONNECTED, integration.id))
            await uow.commit()
        await self.jobs.disconnect(integration.id)
        return True
