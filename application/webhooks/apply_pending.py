"""Apply pending webhooks until each is applied or becomes a dead letter.

`domain.pending_webhooks` decides the time of the next attempt and the number of attempts.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from application.jobs.error_location import UNEXPECTED, error_location
from application.jobs.job_result import LEFT_FOR_LATER, JobCounter, JobResult, Progress
from application.ports.calendly.webhook_reader import WebhookReader
from application.ports.clock import Clock
from application.ports.randomness import Randomness
from application.ports.storage.unit_of_work import Storage, UnitOfWork
from application.ports.storage.webhook_events import WebhookEvent
from application.ports.telemetry import Telemetry
from application.webhooks.apply import (
    APPLIED,
    IGNORED,
    NOBODYS,
    UNKNOWN_KIND,
    UNREADABLE,
    UNREADABLE_ERROR,
    apply_webhooks,
    change_of,
    why_ignored,
)
from application.webhooks.delivery import belongs_to
from application.webhooks.fetch_unreadable import FetchUnreadable
from application.webhooks.lock_contention import LockedIntegrations
from domain.errors import SealedValueUnreadable, SlotkeeperError, StorageContended
from domain.integration import Integration
from domain.pending_webhooks import verdict
from domain.webhook import ParsedWebhook

CLAIMED_FOR = timedelta(minutes=2)
DEAD_LETTERED = "dead_lettered"


class Failure(NamedTuple):
    """Why an event was not applied, without its data.

    Args:
        code: the reason to store with the event.
        error: the class of the error.
        location: the place in the code, or the field of the body.

    """

    code: str
    error: str
    location: str


@dataclass(frozen=True, kw_only=True)
class ApplyPendingWebhooks:
    """Applies pending events; only an operator of this service can fix a dead letter."""

    storage: Storage
    reader: WebhookReader
    clock: Clock
    randomness: Randomness
    telemetry: Telemetry
    fetch_unreadable: FetchUnreadable

    async def __call__(self, limit: int, progress: Progress) -> JobResult:
        """Claim up to `limit` pending events and apply each in a transaction of its own.

        An event whose payload cannot be read is fetched by the URI of its invitee first. One that
        finds no time for that stays claimed, and is due again when its claim ends.
        """
        now = self.clock.now()
        async with self.storage() as uow:
            events = await uow.webhook_events.claim_pending(now, now + CLAIMED_FOR, limit)
            await uow.commit()
        counter, locked = JobCounter(progress), LockedIntegrations()
        for event in events:
            await self._one(event, now, locked, counter)
        return counter.page(more=len(events) == limit)

    async def _one(
        self,
        event: WebhookEvent,
        claimed_at: datetime,
        locked: LockedIntegrations,
        counter: JobCounter,
    ) -> None:
        try:
            result = await self._attempt(event, claimed_at, locked)
        except TimeoutError:
            counter.done(LEFT_FOR_LATER)
            return
        except Exception as error:  # noqa: BLE001 - one bad event never stops the others
            result = _failure(error)
        if isinstance(result, Failure):
            await self._failed(event, result)
            counter.failed(result.code)
        else:
            counter.done(result)
            self.telemetry.webhook_applied(event.kind, result)

    async def _attempt(
        self, event: WebhookEvent, claimed_at: datetime, locked: LockedIntegrations
    ) -> str | Failure:
        if event.fault is not None:
            return Failure(event.fault, SealedValueUnreadable.__name__, "body")
        webhook = self.reader.read(event.body)
        if webhook.unreadable is not None:
            fetched = await self.fetch_unreadable.run(event, webhook, claimed_at)
            if fetched is None:
                return Failure(UNREADABLE, UNREADABLE_ERROR, webhook.unreadable)
            webhook = fetched
        return await self._apply(event, webhook, locked)

    async def _apply(
        self, event: WebhookEvent, webhook: ParsedWebhook, locked: LockedIntegrations
    ) -> str:
        now = self.clock.now()
        async with self.storage() as uow:
            integrations = await _integrations(uow, event, webhook)
            reason = why_ignored(webhook, integrations)
            if reason is None:
                with locked.recorded(integrations):
                    owners = await uow.bookings.lock([each.id for each in integrations], [])
                    await apply_webhooks(uow, self.randomness, [(webhook, owners)], now)
                await uow.webhook_events.applied(event.id, now)
            else:
                await uow.webhook_events.ignored(event.id, reason, now)
            await uow.commit()
        if reason == UNKNOWN_KIND:
            self.telemetry.unknown_webhook_stored(event.id, webhook.kind)
        if reason is None:
            return APPLIED
        return NOBODYS if reason == NOBODYS else IGNORED

    async def _failed(self, event: WebhookEvent, failure: Failure) -> None:
        decision = verdict(failure.code, event.attempts + 1, self.randomness.fraction())
        next_attempt = None if decision.pause is None else self.clock.now() + decision.pause
        # If another transaction locks the event too, it stays claimed and is claimed again later.
        with suppress(StorageContended):
            async with self.storage() as uow:
                if next_attempt is not None and not decision.counted:
                    await uow.webhook_events.retry_later(event.id, failure.code, next_attempt)
                else:
                    await uow.webhook_events.failed(event.id, failure.code, next_attempt)
                if next_attempt is None and event.user_id is not None:
                    # A pending event makes the cache stale, and so does a dead letter.
                    changed = {event.user_id: change_of(event.kind)}
                    await uow.availability.invalidate_each(changed, self.clock.now())
                await uow.commit()
        result = DEAD_LETTERED if next_attempt is None else failure.code
        self.telemetry.webhook_applied(event.kind, result)
        self.telemetry.webhook_apply_failed(event.id, failure.error, failure.location)


async def _integrations(
    uow: UnitOfWork, event: WebhookEvent, webhook: ParsedWebhook
) -> Sequence[Integration]:
    """Return the integration that the event's address named, or those that its body names."""
    if event.integration_id is not None:
        addressee = await uow.integrations.get(event.integration_id)
    elif event.user_id is not None:
        # Stored while the integration's row was locked. The user may have another account now.
        current = await uow.integrations.for_user(event.user_id)
        is_same = current is not None and belongs_to(event, webhook, current)
        addressee = current if is_same else None
    else:
        addressee = None
    if addressee is not None:
        return [addressee]
    return await uow.integrations.by_accounts(webhook.account_uris)


def _failure(error: Exception) -> Failure:
    code = error.code if isinstance(error, SlotkeeperError) else UNEXPECTED
    return Failure(code, type(error).__name__, error_location(error))
