"""List stored webhooks, the latest first, without their bodies."""

from typing import Any

import msgspec

from application.ports.calendly.webhook_redactor import WebhookBodies
from application.ports.storage.unit_of_work import Storage
from application.ports.storage.webhook_archive import StoredWebhook, WebhookQuery
from domain.errors import WebhookEventNotFound
from domain.ids import WebhookEventId
from domain.redacted_repr import RedactedRepr


class WebhookPage(msgspec.Struct, frozen=True):
    """A page; `next` is the keyset position of the one behind it, None on the last page."""

    items: tuple[StoredWebhook, ...]
    next: WebhookEventId | None


class ListWebhooks:
    """For operators: not limited to any user."""

    def __init__(self, *, storage: Storage) -> None:
        self._storage = storage

    async def __call__(self, query: WebhookQuery) -> WebhookPage:
        """Return a page."""
        one_more = msgspec.structs.replace(query, limit=query.limit + 1)
        async with self._storage() as uow:
            found = await uow.webhook_archive.page(one_more)
        items = tuple(found[: query.limit])
        more = len(found) > query.limit
        return WebhookPage(items, next=items[-1].id if more else None)


class ShownWebhook(RedactedRepr, msgspec.Struct, frozen=True):
    """A stored webhook; `body` is a value of JSON, or None when it was not asked for."""

    shown = ("webhook",)
    webhook: StoredWebhook
    body: Any = None


class ShowWebhook:
    """For operators: not limited to any user."""

    def __init__(self, *, storage: Storage, bodies: WebhookBodies) -> None:
        self._storage = storage
        self._bodies = bodies

    async def __call__(self, event_id: WebhookEventId, *, with_body: bool = False) -> ShownWebhook:
        """Return the event.

        Raises:
            WebhookEventNotFound: no such event, or it was pruned.
            SealedValueUnreadable: its body was asked for and cannot be opened.

        """
        async with self._storage() as uow:
            webhook = await uow.webhook_archive.find(event_id)
            body = await uow.webhook_archive.body(event_id) if with_body else None
        if webhook is None:
            raise not_found(event_id)
        return ShownWebhook(webhook, None if body is None else self._bodies.without_links(body))


def not_found(event_id: WebhookEventId) -> WebhookEventNotFound:
    """Return the error for an id that names no stored webhook."""
    return WebhookEventNotFound(f"No stored webhook has the id {event_id}; it may be pruned.")
