"""List stored webhooks, the latest first, and show one with its body."""

from dataclasses import dataclass
from typing import Any

import msgspec

from application.ports.calendly.webhook_redactor import WebhookBodies
from application.ports.storage.unit_of_work import Storage
from application.ports.storage.webhook_archive import StoredWebhook, WebhookQuery
from domain.errors import WebhookEventNotFound
from domain.ids import WebhookEventId
from domain.redacted_repr import RedactedRepr


class WebhookPage(msgspec.Struct, frozen=True):
    """A page; `next` is the keyset position of the next page, None on the last page."""

    items: tuple[StoredWebhook, ...]
    next: WebhookEventId | None


@dataclass(frozen=True, kw_only=True)
class ListWebhooks:
    """For operators: not limited to any user."""

    storage: Storage

    async def __call__(self, query: WebhookQuery) -> WebhookPage:
        one_more = msgspec.structs.replace(query, limit=query.limit + 1)
        async with self.storage() as uow:
            webhooks = await uow.webhook_archive.page(one_more)
        items = tuple(webhooks[: query.limit])
        more = len(webhooks) > query.limit
        return WebhookPage(items, next=items[-1].id if more else None)


class ShownWebhook(RedactedRepr, msgspec.Struct, frozen=True):
    """A stored webhook; `body` is a JSON value, or None if it was not requested."""

    shown = ("webhook",)
    webhook: StoredWebhook
    body: Any = None


@dataclass(frozen=True, kw_only=True)
class ShowWebhook:
    """For operators: not limited to any user."""

    storage: Storage
    bodies: WebhookBodies

    async def __call__(self, event_id: WebhookEventId, *, with_body: bool = False) -> ShownWebhook:
        """Return the event.

        Raises:
            WebhookEventNotFound: no such event, or it was pruned.
            SealedValueUnreadable: its body was requested and cannot be decrypted.

        """
        async with self.storage() as uow:
            webhook = await uow.webhook_archive.find(event_id)
            body = await uow.webhook_archive.body(event_id) if with_body else None
        if webhook is None:
            raise not_found(event_id)
        return ShownWebhook(webhook, None if body is None else self.bodies.without_links(body))


def not_found(event_id: WebhookEventId) -> WebhookEventNotFound:
    """Return the error for an unknown id."""
    return WebhookEventNotFound(f"No stored webhook has the id {event_id}; it may be pruned.")
