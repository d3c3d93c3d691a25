"""The integration of a use case, or the error for its absence."""

from application.ports.storage.unit_of_work import Storage
from domain.errors import IntegrationNotFound
from domain.ids import IntegrationId, UserId
from domain.integration import Integration, usable_tokens


def require_connected(found: Integration | None) -> Integration:
    """Return the integration. Raises IntegrationNotFound if there is none."""
    if found is None:
        raise IntegrationNotFound("No Calendly account is connected.")
    return found


async def read_connected(storage: Storage, integration_id: IntegrationId) -> Integration:
    """Read an integration as it is stored now. Raises IntegrationNotFound."""
    async with storage() as uow:
        found = await uow.integrations.get(integration_id)
    return require_connected(found)


async def usable_integration_of(storage: Storage, user_id: UserId) -> Integration:
    """Read the integration that serves a user's calls.

    Raises:
        IntegrationNotFound: there is none, or it is being disconnected.
        ReauthRequired: the grant is gone.

    """
    async with storage() as uow:
        found = await uow.integrations.for_user(user_id)
    integration = require_connected(found)
    usable_tokens(integration)
    return integration
