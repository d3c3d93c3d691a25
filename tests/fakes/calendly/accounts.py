"""The fake's users."""

from domain.integration import Account
from domain.token import Access
from tests.fakes.calendly.world import World


class AccountsSide(World):
    """Implements `CalendlyAccounts`."""

    async def me(self, access: Access) -> Account:
        """Return the account behind the token."""
        async with self.call("me"):
            return self.authorize(access, "users:read")
