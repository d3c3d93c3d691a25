"""Deleting what is over, in memory."""

from datetime import datetime

from application.ports.storage.expired import PrunedPage
from domain.ids import WebhookEventId
from domain.retention import Cutoffs
from tests.fakes.state import EventRow, State


class FakeExpired:
    def __init__(self, state: State) -> None:
        self._state = state

    async def prune_webhooks(
        self, cutoffs: Cutoffs, after: WebhookEventId | None, limit: int
    ) -> PrunedPage:
        events = self._state.webhook_events
        page = [each for each in sorted(events) if after is None or each > after][:limit]
        rows = [events[each] for each in page]
        over = [row for row in rows if _is_over(row, cutoffs)]
        for row in over:
            del events[row.event.id]
            self._state.replays.pop(row.event.id, None)
        dead = sum(row.status == "dead_lettered" for row in over)
        young = max(cutoffs.settled, cutoffs.dead_letters)
        ends = len(page) < limit or all(row.event.received_at >= young for row in rows)
        return PrunedPage(
            examined=len(page),
            settled=len(over) - dead,
            dead_letters=dead,
            after=None if ends else page[-1],
        )

    async def prune_connect_attempts(self, before: datetime, limit: int) -> int:
        attempts = self._state.connect_attempts
        dead = [key for key, each in attempts.items() if each.expires_at < before][:limit]
        for key in dead:
            del attempts[key]
        return len(dead)

    async def prune_held_codes(self, now: datetime, limit: int) -> int:
        over = [key for key, until in self._state.held_until.items() if until < now][:limit]
        for key in over:
            del self._state.held_until[key]
            self._state.connect_attempts.pop(key, None)
        return len(over)

    async def prune_audit(self, before: datetime, limit: int) -> int:
        over = [each.id for each in self._state.audit.values() if each.at < before][:limit]
        for entry_id in over:
            del self._state.audit[entry_id]
        return len(over)

    async def prune_commands(self, before: datetime, limit: int) -> int:
        commands = self._state.booking_commands
        done = [key for key, each in commands.items() if each.done_at and each.done_at < before]
        for key in done[:limit]:
            del commands[key]
        return len(done[:limit])


def _is_over(row: EventRow, cutoffs: Cutoffs) -> bool:
    if row.status == "dead_lettered":
        return row.next_attempt_at < cutoffs.dead_letters
    return row.settled_at is not None and row.settled_at < cutoffs.settled
