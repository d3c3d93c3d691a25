"""Webhook subscriptions, indexed by id and organization."""

from datetime import datetime
from typing import Literal

import msgspec

from sandbox.oauth.apps import App
from sandbox.state.directory import Organization, User

HookScope = Literal["organization", "user", "group"]

# Calendly: which subscription scopes an event allows, and the read scope its family needs.
_EVERYWHERE: frozenset[HookScope] = frozenset({"organization", "user", "group"})
EVENT_SCOPES: dict[str, frozenset[HookScope]] = {
    "invitee.created": _EVERYWHERE,
    "invitee.canceled": _EVERYWHERE,
    "invitee_no_show.created": _EVERYWHERE,
    "invitee_no_show.deleted": _EVERYWHERE,
    "event_type.created": _EVERYWHERE,
    "event_type.updated": _EVERYWHERE,
    "event_type.deleted": _EVERYWHERE,
    "routing_form_submission.created": frozenset({"organization"}),
    "contact.created": _EVERYWHERE,
    "contact.updated": _EVERYWHERE,
    "contact.deleted": _EVERYWHERE,
    "meeting_recap.created": frozenset({"user"}),
    "meeting_recap.updated": frozenset({"user"}),
    "meeting_recap.deleted": frozenset({"user"}),
}
FAMILY_READ_SCOPE = {
    "invitee": "scheduled_events:read",
    "invitee_no_show": "scheduled_events:read",
    "event_type": "event_types:read",
    "routing_form_submission": "routing_forms:read",
    "contact": "contacts:read",
    "meeting_recap": "meeting_recaps:read",
}


class Subscription(msgspec.Struct, eq=False, kw_only=True):
    """One webhook subscription of one app."""

    uuid: str
    app: App
    creator: User
    callback_url: str
    events: tuple[str, ...]
    scope: HookScope
    organization: Organization
    user: User | None
    signing_key: str | None
    created_at: datetime
    updated_at: datetime
    state: Literal["active", "disabled"] = "active"
    retry_started_at: datetime | None = None
    last_success_at: datetime | None = None

    def wants(self, event: str, owner: User) -> bool:
        """Whether a fact about `owner` goes to this subscription."""
        if self.state != "active" or event not in self.events:
            return False
        return self.scope == "organization" or self.user is owner


class Subscriptions:
    """All subscriptions that have not been deleted."""

    def __init__(self) -> None:
        self.all: dict[str, Subscription] = {}
        self._by_organization: dict[str, list[Subscription]] = {}
        self._by_url: dict[str, list[Subscription]] = {}

    def add(self, subscription: Subscription) -> None:
        """Enter a subscription."""
        self.all[subscription.uuid] = subscription
        self._by_organization.setdefault(subscription.organization.uuid, []).append(subscription)
        self._by_url.setdefault(subscription.callback_url, []).append(subscription)

    def remove(self, subscription: Subscription) -> None:
        """Forget a subscription; its pending deliveries go with it."""
        del self.all[subscription.uuid]
        self._by_organization[subscription.organization.uuid].remove(subscription)
        self._by_url[subscription.callback_url].remove(subscription)

    def of(self, organization: Organization) -> list[Subscription]:
        """The organization's subscriptions of all apps and scopes, oldest first."""
        return self._by_organization.get(organization.uuid, [])

    def with_url(self, url: str) -> list[Subscription]:
        """Subscriptions whose callback URL is exactly `url`."""
        return self._by_url.get(url, [])

    def find(self, key: str) -> Subscription | None:
        """A subscription by id or any URI that ends in it."""
        return self.all.get(key.rsplit("/", 1)[-1])
