"""The fake's webhook subscriptions: one a callback URL, no update."""

from collections.abc import Sequence

import msgspec

from domain.errors import CalendlyConflict
from domain.integration import Account
from domain.secret import Secret
from domain.subscription import ActualSubscription
from domain.token import Access
from tests.fakes.calendly.world import API, World


class SubscriptionsSide(World):
    """Implements `CalendlySubscriptions`."""

    async def all(self, access: Access, account: Account) -> list[ActualSubscription]:
        """Return the user's subscriptions."""
        async with self.call("all"):
            self.authorize(access, "webhooks:read")
            return [
                each
                for user, each in self.subscriptions.values()
                if user == account.user_uri and each.uri not in self.unlisted
            ]

    async def subscription(
        self, access: Access, subscription_uri: str
    ) -> ActualSubscription | None:
        """Return a subscription, listed yet or not."""
        async with self.call("subscription"):
            self.authorize(access, "webhooks:read")
            user, found = self.subscriptions.get(subscription_uri, (None, None))
            return found if user == access.user_uri else None

    async def create(
        self,
        access: Access,
        account: Account,
        callback_url: str,
        events: Sequence[str],
        signing_key: Secret,
    ) -> ActualSubscription:
        """Create a subscription unless one of any owner has this callback URL."""
        async with self.call("create"):
            self.authorize(access, "webhooks:write")
            if any(each.callback_url == callback_url for _, each in self.subscriptions.values()):
                raise CalendlyConflict("Hook with this url already exists.")
            made = ActualSubscription(
                uri=f"{API}/webhook_subscriptions/HOOK{self.number():04}",
                callback_url=callback_url,
                state="active",
                events=tuple(events),
            )
            self.subscriptions[made.uri] = (account.user_uri, made)
            self.signing_keys[made.uri] = signing_key
            return made

    async def delete(self, access: Access, subscription_uri: str) -> None:
        """Delete a subscription, if it is there."""
        async with self.call("delete"):
            self.authorize(access, "webhooks:write")
            self.subscriptions.pop(subscription_uri, None)

    def change_subscription(
        self, subscription_uri: str, *, state: str, retry_started_at: str | None = None
    ) -> None:
        """Do what a day of failing deliveries does: `disabled`, or active and retrying."""
        user, found = self.subscriptions[subscription_uri]
        changed = msgspec.structs.replace(found, state=state, retry_started_at=retry_started_at)
        self.subscriptions[subscription_uri] = (user, changed)
