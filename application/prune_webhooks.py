"""Forget what is over: old webhook events first, then what else outlived its use.

Each day it also looks at what arrived since the day before: Calendly may tell of an erased
invitee's booking again, long after, and such a body is not to rest here for its whole time.
"""

from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID

from application.ports.clock import Clock
from application.ports.expired import PrunedPage
from application.ports.unit_of_work import Storage
from application.redact_bodies import RedactBodies, received_before
from application.tally import Progress, Tally
from domain.ids import WebhookEventId
from domain.retention import Cutoffs, Retention

LOOKED_BACK = timedelta(hours=50)
"""Two daily runs and a little: one that fails is made good by the next."""

EVENTS, DEAD_LETTERS = "webhook_events", "dead_letters"
ATTEMPTS, COMMANDS = "connect_attempts", "booking_commands"
REDACTED = "redacted"


class PruneWebhooks:
    """A page a call; the cursor says which part, and where in it."""

    def __init__(
        self, *, storage: Storage, redact: RedactBodies, clock: Clock, retention: Retention
    ) -> None:
        self._storage = storage
        self._redact = redact
        self._clock = clock
        self._retention = retention

    async def __call__(self, cursor: str | None, limit: int, progress: Progress) -> Tally:
        """Work the page at the cursor, None for the first; returns counts by what is gone."""
        part, _, position = (cursor or "events:").partition(":")
        after = WebhookEventId(UUID(position)) if position else None
        if part == "redact":
            tally = await self._redact_page(after, limit)
        elif part == "rest":
            tally = await self._rest(limit)
        else:
            tally = await self._events(after, limit)
        progress(tally)
        return tally

    def _over(self) -> Cutoffs:
        return self._retention.over(self._clock.now())

    async def _events(self, after: WebhookEventId | None, limit: int) -> Tally:
        async with self._storage() as uow:
            page: PrunedPage = await uow.expired.prune_webhooks(self._over(), after, limit)
            await uow.commit()
        done = {EVENTS: page.settled, DEAD_LETTERS: page.dead_letters}
        return _tally(
            page.examined, done, "rest:" if page.after is None else f"events:{page.after}"
        )

    async def _rest(self, limit: int) -> Tally:
        over = self._over()
        async with self._storage() as uow:
            attempts = await uow.expired.prune_connect_attempts(over.connect_attempts, limit)
            commands = await uow.expired.prune_commands(over.commands, limit)
            await uow.commit()
        more = limit in {attempts, commands}
        since = received_before(self._clock.now() - LOOKED_BACK)
        done = {ATTEMPTS: attempts, COMMANDS: commands}
        return _tally(attempts + commands, done, "rest:" if more else f"redact:{since}")

    async def _redact_page(self, after: WebhookEventId | None, limit: int) -> Tally:
        page = await self._redact(after, limit)
        cursor = None if page.after is None else f"redact:{page.after}"
        return _tally(page.examined, {REDACTED: page.rewritten}, cursor)


def _tally(examined: int, done: Mapping[str, int], cursor: str | None) -> Tally:
    counted = {name: count for name, count in done.items() if count}
    return Tally(examined=examined, done=counted, cursor=cursor, more=cursor is not None)
