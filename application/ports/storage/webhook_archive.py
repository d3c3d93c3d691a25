"""Stored webhooks as operators see them: list, show, replay."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Protocol

import msgspec

from domain.ids import IntegrationId, WebhookEventId


class WebhookStatus(StrEnum):
    """The status of a stored webhook."""

    PENDING = "pending"
    APPLIED = "applied"
    IGNORED = "ignored"
    DEAD_LETTERED = "dead_lettered"


class StoredWebhook(msgspec.Struct, frozen=True):
    """A stored webhook without its body.

    Args:
        attempts: failed attempts since it was stored or last replayed.
        reason: why it is not applied, as a code.
        next_attempt_at: the time of the next attempt (UTC), while it is pending.
        replays: the number of replays.
        replayed_at: the time of the last replay (UTC).
        replayed_by: the operator of the last replay.

    """

    id: WebhookEventId
    kind: str
    status: WebhookStatus
    attempts: int
    reason: str | None
    received_at: datetime
    occurred_at: datetime
    next_attempt_at: datetime | None
    settled_at: datetime | None
    integration_id: IntegrationId | None
    replays: int = 0
    replayed_at: datetime | None = None
    replayed_by: str | None = None


class WebhookQuery(msgspec.Struct, frozen=True):
    """Which stored webhooks to list, the latest first.

    Args:
        limit: rows at most.
        status: only this status; None means any.
        reason: only this reason; None means any.
        after: keyset position: the id of the last row of the previous page.

    """

    limit: int
    status: WebhookStatus | None = None
    reason: str | None = None
    after: WebhookEventId | None = None


class WebhookArchive(Protocol):
    """All stored webhooks, in the order of their ids, which grow with time."""

    async def page(self, query: WebhookQuery) -> Sequence[StoredWebhook]:
        """Return up to `limit` rows after the keyset position, the latest first."""
        ...

    async def find(self, event_id: WebhookEventId) -> StoredWebhook | None:
        """Return the webhook, or None."""
        ...

    async def body(self, event_id: WebhookEventId) -> bytes | None:
        """Return the raw body, or None if there is no such event.

        Raises:
            SealedValueUnreadable: it cannot be decrypted.

        """
        ...

    async def replay(self, event_ids: Sequence[WebhookEventId], by: str, now: datetime) -> int:
        """Make events pending and due now, without counted attempts; record it; return how many.

        This includes applied events: applying one again changes nothing.
        """
        ...

    async def replay_dead_letters(
        self, by: str, now: datetime, limit: int, reason: str | None = None
    ) -> int:
        """Replay up to `limit` dead letters, all or those with a reason; return how many.

        An event that another transaction locks is skipped without waiting.
        """
        ...
