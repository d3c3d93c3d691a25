"""The integration that a use case is about, or the one error for there being none."""

from application.ports.storage.unit_of_work import Storage
from domain.errors import IntegrationNotFound
from domain.ids import IntegrationId, UserId
from domain.integration import Integration, usable_tokens


def require_connected(found: Integration | None) -> Integration:
    """Return what a look found. Raises IntegrationNotFound where it found nothing."""
    if found is None:
        raise IntegrationNotFound("No Calendly account is connected.")
    return found


async def read_connected(storage: Storage, integration_id: IntegrationId) -> Integration:
    """Read an integration as it is stored now. Raises IntegrationNotFound."""
    async with storage() as uow:
        found = await uow.integrations.get(integration_id)
    return require_connected(found)


async def usable_integration_of(storage: Storage, user_id: UserId) -> Integration:
    """Read the integration that a user's calls go by.

    Raises:
        IntegrationNotFound: there is none, or it is being disconnected.
        ReauthRequired: the grant is gone.

    """
    async with storage() as uow:
        found = await uow.integrations.for_user(user_id)
    integration = require_connected(found)
    usable_tokens(integration)
    return integration
