"""The store of webhooks: each one that was answered 2xx, once."""

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
        body: the raw bytes as they arrived; encrypted at rest.
        integration_id: its owner, if there is exactly one. None with a `user_id`: one of the
            user's integrations, whose row was locked at that time; the dedupe key shows which.
        attempts: the number of failed attempts to apply it.
        fault: the error code if its body cannot be decrypted; the body is empty then.

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
        """Record that the event was applied."""
        ...

    async def ignored(self, event_id: WebhookEventId, reason: str, now: datetime) -> None:
        """Record that the event has no effect, and why: an unknown kind, or no owner."""
        ...

    async def failed(
        self, event_id: WebhookEventId, code: str, next_attempt_at: datetime | None
    ) -> None:
        """Count a failed attempt; without a next attempt the event becomes a dead letter."""
        ...

    async def retry_later(
        self, event_id: WebhookEventId, code: str, next_attempt_at: datetime
    ) -> None:
        """Postpone a pending event without counting an attempt: the cause passes by itself.

        Waits for no lock: an event that another transaction locks does not change.
        """
        ...

    async def unapplied(
        self,
        integration_id: IntegrationId,
        kinds: Collection[str],
        since: datetime,
        limit: int,
    ) -> Sequence[WebhookEvent]:
        """Return up to `limit` unapplied events, the newest first; locks nothing.

        These are pending events and dead letters of these kinds, received since this time (UTC).
        They belong to the integration, to its user alone, or to no user. An event whose body
        cannot be decrypted has a `fault`.
        """
        ...

    async def claim_pending(
        self, now: datetime, until: datetime, limit: int
    ) -> Sequence[WebhookEvent]:
        """Claim up to `limit` due pending events, the oldest first.

        No other call claims them before `until`. Locked events are skipped without waiting. An
        event whose body cannot be decrypted has a `fault`.
        """
        ...
