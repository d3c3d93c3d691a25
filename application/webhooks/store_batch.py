"""Store and apply a group of deliveries: one transaction, as many statements for one as for all.

The rule not to break is the order of locks, the same for every process: the integrations' facts
by ascending id, the events' keys by ascending key, the integrations' rows. And only an event that
is stored here has an effect here.
"""

from collections.abc import Container, Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from application.bookings.merge_facts import OwnerFacts, merge_facts_locked
from application.ports.clock import Clock
from application.ports.randomness import Randomness
from application.ports.storage.availability_cache import Change
from application.ports.storage.bookings import Owner
from application.ports.storage.unit_of_work import Storage, UnitOfWork
from application.ports.storage.webhook_archive import WebhookStatus
from application.ports.storage.webhook_events import FiledEvent
from application.webhooks.apply import UNREADABLE, change_of, why_ignored
from application.webhooks.delivery import DUPLICATE, STORED, Delivery, IngestResult, event_of
from domain.ids import IntegrationId, UserId, WebhookEventId
from domain.webhook import ParsedWebhook


class _Filing(NamedTuple):
    webhook: ParsedWebhook
    concerned: Sequence[Owner]
    filed: FiledEvent


class StoreBatch:
    """Storing, applying to bookings and invalidating the cache are one transaction."""

    def __init__(self, *, storage: Storage, clock: Clock, randomness: Randomness) -> None:
        self._storage = storage
        self._clock = clock
        self._randomness = randomness

    async def __call__(self, deliveries: Sequence[Delivery]) -> Sequence[IngestResult | None]:
        """Return what became of each; None where the address is nobody's.

        When this returns, all of it is durable; when it raises, nothing is stored.

        Raises:
            StorageContended: somebody else holds what one of them needs.
            StorageUnavailable: the store is away.

        """
        now = self._clock.now()
        async with self._storage() as uow:
            owners = _Owners(await _held(uow, deliveries))
            filings = [self._filing(each, owners) for each in deliveries]
            fresh = await _store(uow, filings, now)
            if fresh:
                await self._apply(uow, fresh.values(), now)
                await uow.commit()
        return [each and _ingested(each.filed, fresh) for each in filings]

    def _filing(self, delivery: Delivery, owners: "_Owners") -> _Filing | None:
        webhook = delivery.webhook
        concerned = owners.concerned(delivery)
        if concerned is None:
            return None
        event = event_of(delivery, concerned, self._randomness)
        if webhook.unreadable is not None:
            return _Filing(webhook, concerned, FiledEvent(event, WebhookStatus.PENDING))
        reason = why_ignored(webhook, concerned)
        status = WebhookStatus.APPLIED if reason is None else WebhookStatus.IGNORED
        return _Filing(webhook, concerned, FiledEvent(event, status, reason))

    async def _apply(self, uow: UnitOfWork, fresh: Iterable[_Filing], now: datetime) -> None:
        told: dict[IntegrationId, OwnerFacts] = {}
        changed: dict[UserId, Change] = {}
        for webhook, concerned, filed in fresh:
            if filed.status is not WebhookStatus.APPLIED:
                continue
            for owner in concerned:
                changed[owner.user_id] = change_of(webhook.kind).after(changed.get(owner.user_id))
                if webhook.facts is not None:
                    told.setdefault(owner.id, OwnerFacts(owner, [])).facts.append(webhook.facts)
        await merge_facts_locked(uow, self._randomness, list(told.values()))
        await uow.availability.invalidate_each(changed, now)


class _Owners:
    """The integrations that a group concerns, by what names them."""

    def __init__(self, held: Sequence[Owner]) -> None:
        self._by_id = {each.id: each for each in held}
        self._by_account: dict[str, list[Owner]] = {}
        for each in held:
            self._by_account.setdefault(each.account_uri, []).append(each)

    def concerned(self, delivery: Delivery) -> Sequence[Owner] | None:
        """Return whom a delivery concerns by ascending id; None when its address is nobody's."""
        if delivery.integration_id is not None:
            owner = self._by_id.get(delivery.integration_id)
            return None if owner is None else [owner]
        named = {
            owner.id: owner
            for uri in delivery.webhook.account_uris
            for owner in self._by_account.get(uri, ())
        }
        return [named[each] for each in sorted(named)]


async def _held(uow: UnitOfWork, deliveries: Sequence[Delivery]) -> Sequence[Owner]:
    ids: set[IntegrationId] = set()
    accounts: set[str] = set()
    for each in deliveries:
        if each.integration_id is not None:
            ids.add(each.integration_id)
        else:
            accounts.update(each.webhook.account_uris)
    if not ids and not accounts:
        return []
    return await uow.bookings.lock(sorted(ids), sorted(accounts))


async def _store(
    uow: UnitOfWork, filings: Sequence[_Filing | None], now: datetime
) -> dict[WebhookEventId, _Filing]:
    """Return those that were not known before; of several that tell the same, the first."""
    first: dict[str, _Filing] = {}
    for each in filings:
        if each is not None:
            first.setdefault(each.filed.event.dedupe_key, each)
    stored = await uow.webhook_events.store_filed([each.filed for each in first.values()], now)
    return {each.filed.event.id: each for key, each in first.items() if key in stored}


def _ingested(filed: FiledEvent, fresh: Container[WebhookEventId]) -> IngestResult:
    if filed.event.id not in fresh:
        return IngestResult(DUPLICATE)
    reason = UNREADABLE if filed.status is WebhookStatus.PENDING else filed.reason
    applied = filed.status is WebhookStatus.APPLIED
    return IngestResult(STORED, filed.event.id, applied=applied, reason=reason)
