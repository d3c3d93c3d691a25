"""Users of Calendly (Calendly: Get current user, Get user)."""

from adapters.calendly.api import CalendlyApi
from adapters.calendly.uris import path_of
from adapters.calendly.wire.accounts import User
from adapters.calendly.wire.envelopes import Resource
from domain.integration import Account
from domain.token import Access


class CalendlyAccountsGateway:
    def __init__(self, api: CalendlyApi) -> None:
        self._api = api

    async def me(self, access: Access) -> Account:
        return _account((await self._api.get(access, "/users/me", Resource[User])).resource)

    async def user(self, access: Access, user_uri: str) -> Account:
        """Return an account of the same organization.

        Calendly answers 404 for an unknown user and 403 for one of another organization.
        """
        path = path_of(user_uri, "users")
        return _account((await self._api.get(access, path, Resource[User])).resource)


def _account(user: User) -> Account:
    return Account(
        user_uri=user.uri,
        organization_uri=user.current_organization,
        name=user.name,
        email=user.email,
        timezone=user.timezone,
        scheduling_url=user.scheduling_url,
    )
