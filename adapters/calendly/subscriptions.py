"""Webhook subscriptions at Calendly: list, create, delete (there is no update)."""

from collections.abc import Sequence

import msgspec

from adapters.calendly.api import CalendlyApi
from adapters.calendly.api_errors import is_gone
from adapters.calendly.uris import path_of
from adapters.calendly.wire.envelopes import Collection, Resource
from adapters.calendly.wire.subscriptions import Subscription
from domain.errors import CalendlyNotFound, CalendlyRejected
from domain.integration import Account
from domain.secret import Secret
from domain.subscription import ActualSubscription
from domain.token import Access

_PATH = "/webhook_subscriptions"


class CalendlySubscriptionsGateway:
    """Implements `CalendlySubscriptions` for user-scope subscriptions."""

    def __init__(self, api: CalendlyApi) -> None:
        self._api = api

    async def all(self, access: Access, account: Account) -> list[ActualSubscription]:
        params = {**_owner(account), "count": "100"}
        listed = await self._api.get_all(access, _PATH, Collection[Subscription], params)
        return [_actual(each) for each in listed]

    async def subscription(
        self, access: Access, subscription_uri: str
    ) -> ActualSubscription | None:
        path = path_of(subscription_uri, "webhook_subscriptions")
        try:
            return _actual((await self._api.get(access, path, Resource[Subscription])).resource)
        except CalendlyNotFound:
            return None

    async def create(
        self,
        access: Access,
        account: Account,
        callback_url: str,
        events: Sequence[str],
        signing_key: Secret,
    ) -> ActualSubscription:
        """Create the subscription; Calendly requires the organization for user scope as well.

        Calendly does not document whether an OAuth client may send a key. If it refuses the key,
        the request is sent without it, and the app's key signs.
        """
        body = {"url": callback_url, "events": list(events), **_owner(account)}
        own = {"signing_key": signing_key.reveal()}
        try:
            created = await self._api.post(access, _PATH, body | own, Resource[Subscription])
        except CalendlyRejected:
            created = await self._api.post(access, _PATH, body, Resource[Subscription])
        return _actual(created)

    async def delete(self, access: Access, subscription_uri: str) -> None:
        path = path_of(subscription_uri, "webhook_subscriptions")
        await self._api.act(access, "DELETE", path, is_gone)


def _owner(account: Account) -> dict[str, str]:
    return {
        "organization": account.organization_uri,
        "user": account.user_uri,
        "scope": "user",
    }


def _actual(subscription: Subscription) -> ActualSubscription:
    return msgspec.convert(subscription, ActualSubscription, from_attributes=True)
