"""Forget what is over: old webhook events first, then what else outlived its use.

Each day it also reads the webhooks that arrived, or were settled, since the day before. Calendly may
send a booking of an erased invitee again much later, and an unreadable body may have waited for its
key. None of these may stay for the whole retention. It also completes interrupted erasures of users
and of invitees.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import msgspec

from application.jobs.job_result import JobResult, Progress
from application.ports.clock import Clock
from application.ports.storage.expired import PrunedPage
from application.ports.storage.unit_of_work import Storage
from application.privacy.finish_erasures import FinishErasures, Place
from application.privacy.finish_user_erasures import FinishUserErasures
from application.privacy.redact_webhooks import RedactBodies
from domain.ids import UserId, WebhookEventId
from domain.retention import Cutoffs, Retention

LOOKED_BACK = timedelta(hours=50)
"""Two daily runs and a little: one that fails is made good by the next."""

EVENTS, DEAD_LETTERS = "webhook_events", "dead_letters"
ATTEMPTS, CODES, COMMANDS = "connect_attempts", "held_codes", "booking_commands"
REDACTED, FORGOTTEN = "redacted", "bookings_forgotten"
AUDIT = "audit_entries"
ERASURES, USERS = "erasures_finished", "users_erased"


@dataclass(frozen=True, kw_only=True)
class PruneWebhooks:
    """A page a call; the cursor says which part, and where in it."""

    storage: Storage
    redact: RedactBodies
    finish_erasures: FinishErasures
    finish_user_erasures: FinishUserErasures
    clock: Clock
    retention: Retention

    async def __call__(self, cursor: str | None, limit: int, progress: Progress) -> JobResult:
        """Work the page at the cursor, None for the first; returns counts by what is gone."""
        part, _, position = (cursor or "events:").partition(":")
        if part == "erasures":
            job_result = await self._erasures(position, limit)
        elif part == "redact":
            job_result = await self._redact_page(_event(position), limit)
        elif part == "rest":
            job_result = await self._rest(limit)
        elif part == "users":
            job_result = await self._users(position)
        else:
            job_result = await self._events(_event(position), limit)
        progress(job_result)
        return job_result

    def _over(self) -> Cutoffs:
        return self.retention.over(self.clock.now())

    async def _events(self, after: WebhookEventId | None, limit: int) -> JobResult:
        async with self.storage() as uow:
            page: PrunedPage = await uow.expired.prune_webhooks(self._over(), after, limit)
            await uow.commit()
        done = {EVENTS: page.settled, DEAD_LETTERS: page.dead_letters}
        return _tally(
            page.examined, done, "rest:" if page.after is None else f"events:{page.after}"
        )

    async def _rest(self, limit: int) -> JobResult:
        over = self._over()
        async with self.storage() as uow:
            attempts = await uow.expired.prune_connect_attempts(over.connect_attempts, limit)
            codes = await uow.expired.prune_held_codes(self.clock.now(), limit)
            commands = await uow.expired.prune_commands(over.commands, limit)
            audit = await uow.expired.prune_audit(over.audit, limit)
            await uow.commit()
        more = limit in {attempts, codes, commands, audit}
        done = {ATTEMPTS: attempts, CODES: codes, COMMANDS: commands, AUDIT: audit}
        return _tally(sum(done.values()), done, "rest:" if more else "users:")

    async def _users(self, position: str) -> JobResult:
        page = await self.finish_user_erasures(UserId(UUID(position)) if position else None)
        cursor = "redact:" if page.after is None else f"users:{page.after}"
        return _tally(page.examined, {USERS: page.erased}, cursor)

    async def _redact_page(self, after: WebhookEventId | None, limit: int) -> JobResult:
        page = await self.redact.redact_page(after, limit, since=self.clock.now() - LOOKED_BACK)
        cursor = "erasures:" if page.after is None else f"redact:{page.after}"
        return _tally(page.examined, {REDACTED: page.rewritten}, cursor)

    async def _erasures(self, position: str, limit: int) -> JobResult:
        place = msgspec.json.decode(position, type=Place) if position else None
        step = await self.finish_erasures(place, limit)
        reached = "" if step.place is None else msgspec.json.encode(step.place).decode()
        done = {FORGOTTEN: step.forgotten, REDACTED: step.rewritten, ERASURES: step.finished}
        return _tally(step.examined, done, f"erasures:{reached}" if step.more else None)


def _event(position: str) -> WebhookEventId | None:
    return WebhookEventId(UUID(position)) if position else None


def _tally(examined: int, done: Mapping[str, int], cursor: str | None) -> JobResult:
    counted = {name: count for name, count in done.items() if count}
    return JobResult(examined=examined, done=counted, cursor=cursor, more=cursor is not None)
