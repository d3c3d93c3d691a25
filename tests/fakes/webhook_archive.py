"""Stored webhooks in memory, as operators see them."""

from collections.abc import Sequence
from datetime import datetime

from msgspec.structs import replace

from application.ports.storage.webhook_archive import StoredWebhook, WebhookQuery, WebhookStatus
from domain.errors import SealedValueUnreadable
from domain.ids import WebhookEventId
from tests.fakes.state import EventRow, ReplayRow, State


class FakeWebhookArchive:
    """Implements the WebhookArchive port."""

    def __init__(self, state: State) -> None:
        self._state = state

    async def page(self, query: WebhookQuery) -> Sequence[StoredWebhook]:
        """Read a page."""
        found = [each for _, each in sorted(self._state.webhook_events.items(), reverse=True)]
        return [self._seen(each) for each in found if _matches(each, query)][: query.limit]

    async def find(self, event_id: WebhookEventId) -> StoredWebhook | None:
        """Read one."""
        row = self._state.webhook_events.get(event_id)
        return None if row is None else self._seen(row)

    async def body(self, event_id: WebhookEventId) -> bytes | None:
        """Return the body of one."""
        row = self._state.webhook_events.get(event_id)
        if row is None:
            return None
        if row.event.fault is not None:
            raise SealedValueUnreadable("The body does not open.")
        return row.event.body

    async def replay(self, event_ids: Sequence[WebhookEventId], by: str, now: datetime) -> int:
        """Put back and record."""
        known = [each for each in event_ids if each in self._state.webhook_events]
        for event_id in known:
            row = self._state.webhook_events[event_id]
            self._state.webhook_events[event_id] = replace(
                row,
                event=replace(row.event, attempts=0),
                status="pending",
                reason=None,
                settled_at=None,
                next_attempt_at=now,
            )
            before = self._state.replays.get(event_id)
            self._state.replays[event_id] = ReplayRow(
                replays=1 if before is None else before.replays + 1,
                replayed_at=now,
                replayed_by=by,
            )
        return len(known)

    async def replay_dead_letters(
        self, by: str, now: datetime, limit: int, reason: str | None = None
    ) -> int:
        """Put back and record."""
        dead = [
            event_id
            for event_id, row in sorted(self._state.webhook_events.items())
            if row.status == "dead_lettered" and reason in {None, row.reason}
        ]
        return await self.replay(dead[:limit], by, now)

    def _seen(self, row: EventRow) -> StoredWebhook:
        event, status = row.event, WebhookStatus(row.status)
        replayed = self._state.replays.get(event.id)
        return StoredWebhook(
            id=event.id,
            kind=event.kind,
            status=status,
            attempts=event.attempts,
            reason=row.reason,
            received_at=event.received_at,
            occurred_at=event.occurred_at,
            next_attempt_at=row.next_attempt_at if status is WebhookStatus.PENDING else None,
            settled_at=row.settled_at,
            integration_id=event.integration_id,
            replays=replayed.replays if replayed else 0,
            replayed_at=replayed.replayed_at if replayed else None,
            replayed_by=replayed.replayed_by if replayed else None,
        )


def _matches(row: EventRow, query: WebhookQuery) -> bool:
    return (
        query.status in {None, row.status}
        and query.reason in {None, row.reason}
        and (query.after is None or row.event.id < query.after)
    )
