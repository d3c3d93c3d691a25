"""Stored webhooks as operators see them: listed, looked at, put back."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Protocol

import msgspec

from domain.ids import IntegrationId, WebhookEventId


class WebhookStatus(StrEnum):
    """What became of a stored webhook."""

    PENDING = "pending"
    APPLIED = "applied"
    IGNORED = "ignored"
    DEAD_LETTERED = "dead_lettered"


class StoredWebhook(msgspec.Struct, frozen=True):
    """A stored webhook without its body.

    Args:
        attempts: how often applying it failed since it was stored or last put back.
        reason: why it is not applied, as a code.
        next_attempt_at: when it is taken up next (UTC), while it is pending.
        replays: how often it was put back.
        replayed_at: when last (UTC).
        replayed_by: by whom last.

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
        limit: at most so many.
        status: only these; None means any.
        reason: only those with this reason.
        after: keyset: the id of the last one already seen.

    """

    limit: int
    status: WebhookStatus | None = None
    reason: str | None = None
    after: WebhookEventId | None = None


class WebhookArchive(Protocol):
    """Every stored webhook, whatever became of it. Ids grow with time: they are the order."""

    async def page(self, query: WebhookQuery) -> Sequence[StoredWebhook]:
        """Return up to `limit` after the keyset position, the latest first."""
        ...

    async def find(self, event_id: WebhookEventId) -> StoredWebhook | None:
        """Return one, or None."""
        ...

    async def body(self, event_id: WebhookEventId) -> bytes | None:
        """Return the raw body, or None when there is no such event.

        Raises:
            SealedValueUnreadable: it cannot be opened.

        """
        ...

    async def replay(self, event_ids: Sequence[WebhookEventId], by: str, now: datetime) -> int:
        """Put events back: pending, due now, no attempt counted; record it; return how many.

        One that was applied is put back too: applying it again changes nothing.
        """
        ...

    async def replay_dead_letters(
        self, by: str, now: datetime, limit: int, reason: str | None = None
    ) -> int:
        """Put up to `limit` dead letters back, all or those with a reason; return how many.

        One that somebody is at is passed over without waiting.
        """
        ...
