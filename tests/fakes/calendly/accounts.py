"""The fake's users."""

from domain.errors import CalendlyForbidden
from domain.integration import Account
from domain.token import Access
from tests.fakes.calendly.world import World, not_found


class AccountsSide(World):
    """Implements `CalendlyAccounts`."""

    async def me(self, access: Access) -> Account:
        """Return the account behind the token."""
        async with self.call("me"):
            return self.authorize(access, "users:read")

    async def user(self, access: Access, user_uri: str) -> Account:
        """Return an account of the caller's own organization."""
        async with self.call("user"):
            caller, found = self.authorize(access, "users:read"), self.accounts.get(user_uri)
            if found is None:
                raise not_found("user")
            if found.organization_uri != caller.organization_uri:
                raise CalendlyForbidden("This user is not in your organization.")
            return found
