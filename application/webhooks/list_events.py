"""List stored webhooks, the latest first, without their bodies."""

import msgspec

from application.ports.storage.unit_of_work import Storage
from application.ports.storage.webhook_archive import StoredWebhook, WebhookQuery
from domain.ids import WebhookEventId


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
