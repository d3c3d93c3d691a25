"""Who a token belongs to."""

from typing import Protocol

from domain.integration import Account
from domain.token import Access


class CalendlyAccounts(Protocol):
    """Calendly's users."""

    async def me(self, access: Access) -> Account:
        """Return the account behind the token. Raises the CalendlyError family."""
        ...
