"""The inbox: every webhook that was answered 2xx, once."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from application.ports.storage.webhook_archive import WebhookStatus
from domain.ids import IntegrationId, UserId, WebhookEventId
from domain.redacted_repr import RedactedRepr


class WebhookEvent(RedactedRepr, msgspec.Struct, frozen=True):
    """A stored webhook.

    Args:
        dedupe_key: the fact's identity; a second event with the same key is not stored.
        body: the raw bytes as they arrived; sealed at rest.
        integration_id: whose it is, where that is one alone. None with a `user_id`: one of this
            user's, whose row was held when the event was stored; the dedupe key tells which.
        attempts: how often applying it failed.
        fault: the error code for which its body cannot be opened; then the body is empty.

    """

    shown = ("id", "kind", "received_at", "attempts", "fault")
    id: WebhookEventId
    dedupe_key: str
    kind: str
    body: bytes
    received_at: datetime
    occurred_at: datetime
    integration_id: IntegrationId | None = None
    user_id: UserId | None = None
    attempts: int = 0
    fault: str | None = None


class NewEvent(msgspec.Struct, frozen=True):
    """An event to store, with its first status.

    Args:
        status: applied, ignored, or pending. A pending event is due at its `received_at`.
        reason: why it is ignored; None otherwise.
        settled_at: when it was applied or ignored (UTC); None while it is pending.

    """

    event: WebhookEvent
    status: WebhookStatus = WebhookStatus.PENDING
    reason: str | None = None
    settled_at: datetime | None = None


class WebhookEvents(Protocol):
    """Stored webhooks and their status."""

    async def store(self, events: Sequence[NewEvent]) -> Collection[str]:
        """Store the events whose keys are new, in one sorted order; no key may come twice.

        A transaction that stores a key waits for another transaction that stores the same key.

        Returns:
            The dedupe keys of the stored events. The other keys were known; nothing changes.

        """
        ...

    async def applied(self, event_id: WebhookEventId, now: datetime) -> None:
        """Record that the event had its effect."""
        ...

    async def ignored(self, event_id: WebhookEventId, reason: str, now: datetime) -> None:
        """Record that the event has no effect here, and why: a kind unknown, nobody's event."""
        ...

    async def failed(
        self, event_id: WebhookEventId, code: str, next_attempt_at: datetime | None
    ) -> None:
        """Count a failed attempt; without a next one the event is dead-lettered."""
        ...

    async def put_off(
        self, event_id: WebhookEventId, code: str, next_attempt_at: datetime
    ) -> None:
        """Leave a pending event for later without counting: what keeps it heals by itself.

        Waits for nobody: one that somebody holds stays as it is.
        """
        ...

    async def unapplied(
        self,
        integration_id: IntegrationId,
        kinds: Collection[str],
        since: datetime,
        limit: int,
    ) -> Sequence[WebhookEvent]:
        """Return up to `limit` events that had no effect yet, the newest first; locks nothing.

        Pending ones and dead letters of these kinds, received since then (UTC): those of the
        integration, and those that name nobody or its user alone. One whose body does not open is
        among them, with its `fault`.
        """
        ...

    async def claim_pending(
        self, now: datetime, until: datetime, limit: int
    ) -> Sequence[WebhookEvent]:
        """Take up to `limit` pending events whose time has come, oldest first.

        They are not handed out again before `until`; held ones are passed over without waiting.
        One whose body does not open is among them, with its `fault`.
        """
        ...
