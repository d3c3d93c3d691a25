"""Whose a token is, and who else is there."""

from typing import Protocol

from domain.integration import Account
from domain.token import Access


class CalendlyAccounts(Protocol):
    """Calendly's users."""

    async def me(self, access: Access) -> Account:
        """Return the account behind the token. Raises the CalendlyError family."""
        ...

    async def user(self, access: Access, user_uri: str) -> Account:
        """Return an account of the same organization. Raises the CalendlyError family.

        Raises:
            CalendlyNotFound: there is no such user.
            CalendlyForbidden: it is a user of another organization.

        """
        ...
