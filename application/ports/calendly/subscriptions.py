"""Webhook subscriptions at Calendly."""

from collections.abc import Sequence
from typing import Protocol

from domain.integration import Account
from domain.secret import Secret
from domain.subscription import ActualSubscription
from domain.token import Access


class CalendlySubscriptions(Protocol):
    """List, create, delete: Calendly has no update. All raise the CalendlyError family."""

    async def all(self, access: Access, account: Account) -> list[ActualSubscription]:
        """Return the account's user-scope subscriptions; a new one may be missing."""
        ...

    async def subscription(
        self, access: Access, subscription_uri: str
    ) -> ActualSubscription | None:
        """Return the current state of one subscription; None if there is none."""
        ...

    async def create(
        self,
        access: Access,
        account: Account,
        callback_url: str,
        events: Sequence[str],
        signing_key: Secret,
    ) -> ActualSubscription:
        """Create a user-scope subscription; Calendly signs with this key or the app's key.

        Raises:
            CalendlyConflict: a subscription with this callback URL exists.

        """
        ...

    async def delete(self, access: Access, subscription_uri: str) -> None:
        """Delete a subscription; a missing one counts as deleted."""
        ...
