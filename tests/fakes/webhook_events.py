"""The inbox in memory."""

from collections.abc import Collection, Sequence
from datetime import datetime

from msgspec.structs import replace

from application.ports.storage.webhook_events import NewEvent, WebhookEvent
from domain.ids import IntegrationId, WebhookEventId
from tests.fakes.state import EventRow, State


class FakeWebhookEvents:
    """Implements the WebhookEvents port."""

    def __init__(self, state: State) -> None:
        self._state = state

    async def store(self, events: Sequence[NewEvent]) -> Collection[str]:
        """Store those whose keys are not known."""
        known = {row.event.dedupe_key for row in self._state.webhook_events.values()}
        fresh = [each for each in events if each.event.dedupe_key not in known]
        for new in fresh:
            self._state.webhook_events[new.event.id] = EventRow(
                event=self._linked(new.event),
                status=str(new.status),
                reason=new.reason,
                settled_at=new.settled_at,
                next_attempt_at=new.event.received_at,
            )
        return {each.event.dedupe_key for each in fresh}

    def _linked(self, event: WebhookEvent) -> WebhookEvent:
        known = event.integration_id in self._state.integrations
        has_user = event.user_id is not None and self._state.has_user(event.user_id)
        return replace(
            event,
            integration_id=event.integration_id if known else None,
            user_id=event.user_id if has_user else None,
        )

    async def applied(self, event_id: WebhookEventId, now: datetime) -> None:
        """Settle as applied."""
        self._settle(event_id, "applied", now, None)

    async def ignored(self, event_id: WebhookEventId, reason: str, now: datetime) -> None:
        """Settle as ignored."""
        self._settle(event_id, "ignored", now, reason)

    async def failed(
        self, event_id: WebhookEventId, code: str, next_attempt_at: datetime | None
    ) -> None:
        """Count a failure."""
        row = self._state.webhook_events.get(event_id)
        if row is None or row.status != "pending":
            return
        self._state.webhook_events[event_id] = replace(
            row,
            event=replace(row.event, attempts=row.event.attempts + 1),
            status="pending" if next_attempt_at else "dead_lettered",
            next_attempt_at=next_attempt_at or row.next_attempt_at,
            reason=code,
        )

    async def retry_later(
        self, event_id: WebhookEventId, code: str, next_attempt_at: datetime
    ) -> None:
        """Set its time alone."""
        row = self._state.webhook_events.get(event_id)
        if row is not None and row.status == "pending":
            self._state.webhook_events[event_id] = replace(
                row, reason=code, next_attempt_at=next_attempt_at
            )

    async def unapplied(
        self,
        integration_id: IntegrationId,
        kinds: Collection[str],
        since: datetime,
        limit: int,
    ) -> Sequence[WebhookEvent]:
        """Return a page of both kinds of leftovers."""
        found = [
            row.event
            for row in self._state.webhook_events.values()
            if row.status in {"pending", "dead_lettered"}
            and row.event.kind in kinds
            and row.event.received_at >= since
            and self._may_concern(row.event, integration_id)
        ]
        return sorted(found, key=lambda each: each.received_at, reverse=True)[:limit]

    def _may_concern(self, event: WebhookEvent, integration_id: IntegrationId) -> bool:
        row = self._state.integrations.get(integration_id)
        user_id = None if row is None else row.value.user_id
        if event.integration_id is not None:
            return event.integration_id == integration_id
        return event.user_id is None or event.user_id == user_id

    async def claim_pending(
        self, now: datetime, until: datetime, limit: int
    ) -> Sequence[WebhookEvent]:
        """Take a page of pending events."""
        due = [
            row
            for row in self._state.webhook_events.values()
            if row.status == "pending" and row.next_attempt_at <= now
        ]
        claimed = sorted(due, key=lambda row: row.event.received_at)[:limit]
        for row in claimed:
            self._state.webhook_events[row.event.id] = replace(row, next_attempt_at=until)
        return [row.event for row in claimed]

    def _settle(
        self, event_id: WebhookEventId, status: str, now: datetime, reason: str | None
    ) -> None:
        row = self._state.webhook_events.get(event_id)
        if row is not None and row.status in {"pending", "dead_lettered"}:
            self._state.webhook_events[event_id] = replace(
                row, status=status, settled_at=now, reason=reason
            )
