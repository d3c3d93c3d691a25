"""Who a token belongs to (Calendly: Get current user)."""

from adapters.calendly.api import CalendlyApi
from adapters.calendly.wire.accounts import User
from adapters.calendly.wire.envelopes import Resource
from domain.integration import Account
from domain.token import Access


class CalendlyAccountsGateway:
    """Implements `CalendlyAccounts`."""

    def __init__(self, api: CalendlyApi) -> None:
        self._api = api

    async def me(self, access: Access) -> Account:
        """Return the account behind the token."""
        user = (await self._api.get(access, "/users/me", Resource[User])).resource
        return Account(
            user_uri=user.uri,
            organization_uri=user.current_organization,
            name=user.name,
            email=user.email,
            timezone=user.timezone,
            scheduling_url=user.scheduling_url,
        )
