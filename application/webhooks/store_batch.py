"""Store and apply a batch of webhook deliveries in one transaction; one delivery is a batch of one.

Each step is one statement for the whole batch. Every process takes locks in this order: the
integrations' booking facts by ascending id, the events' keys in ascending order, the integrations'
rows. Only an event that this transaction stores is applied by it.
"""

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from application.ports.clock import Clock
from application.ports.randomness import Randomness
from application.ports.storage.bookings import Owner
from application.ports.storage.unit_of_work import Storage, UnitOfWork
from application.ports.storage.webhook_archive import WebhookStatus
from application.ports.storage.webhook_events import NewEvent
from application.webhooks.apply import UNREADABLE, apply_webhooks, why_ignored
from application.webhooks.delivery import (
    DUPLICATE,
    STORED,
    UNAPPLIED,
    Delivery,
    IngestResult,
    event_of,
    unlinked,
)
from domain.ids import IntegrationId, WebhookEventId
from domain.webhook import ParsedWebhook


class _Entry(NamedTuple):
    webhook: ParsedWebhook
    owners: Sequence[Owner]
    new: NewEvent


@dataclass(frozen=True, kw_only=True)
class StoreBatch:
    """Stores events, writes bookings and invalidates the cache in one transaction."""

    storage: Storage
    clock: Clock
    randomness: Randomness

    async def store(self, deliveries: Sequence[Delivery]) -> Sequence[IngestResult | None]:
        """Store and apply a batch.

        Returns:
            A result for each delivery, durable; None where no integration has its address.

        Raises:
            StorageContended: another transaction locks rows that a delivery needs.
            StorageUnavailable: the database cannot be reached. After an error nothing is stored.

        """
        now = self.clock.now()
        async with self.storage() as uow:
            ids, accounts = _named(deliveries)
            locked = await uow.bookings.lock(ids, accounts) if ids or accounts else []
            owners = _Owners(locked)
            entries = [self._entry(each, owners.of(each), now) for each in deliveries]
            fresh = await _insert(uow, entries)
            if fresh:
                applied = (each for each in fresh.values() if _is_applied(each.new))
                pairs = [(each.webhook, each.owners) for each in applied]
                await apply_webhooks(uow, self.randomness, pairs, now)
                await uow.commit()
        return [each and _result(each, fresh) for each in entries]

    async def store_pending(
        self, deliveries: Sequence[Delivery], *, linked: bool = True
    ) -> Sequence[IngestResult | None]:
        """Store a batch for a later job to apply; this locks no booking facts.

        Args:
            deliveries: the batch.
            linked: whether events refer to their integration. That takes a key share lock on the
                integration's row, which an erasure blocks.

        Returns and raises what `store` does.

        """
        async with self.storage() as uow:
            owners = _Owners(await _read_owners(uow, *_named(deliveries)))
            entries = [self._pending(each, owners.of(each), linked=linked) for each in deliveries]
            fresh = await _insert(uow, entries)
            if fresh:
                await uow.commit()
        return [each and _result(each, fresh) for each in entries]

    def _entry(
        self, delivery: Delivery, owners: Sequence[Owner] | None, now: datetime
    ) -> _Entry | None:
        if owners is None or delivery.webhook.unreadable is not None:
            return self._pending(delivery, owners)
        event = event_of(delivery, owners, self.randomness)
        reason = why_ignored(delivery.webhook, owners)
        status = WebhookStatus.APPLIED if reason is None else WebhookStatus.IGNORED
        return _Entry(delivery.webhook, owners, NewEvent(event, status, reason, settled_at=now))

    def _pending(
        self, delivery: Delivery, owners: Sequence[Owner] | None, *, linked: bool = True
    ) -> _Entry | None:
        if owners is None:
            return None
        event = event_of(delivery, owners, self.randomness)
        new = NewEvent(event if linked else unlinked(event))
        return _Entry(delivery.webhook, owners, new)


class _Owners:
    """The integrations that a batch concerns, by id and by Calendly account."""

    def __init__(self, owners: Iterable[Owner]) -> None:
        self._by_id = {each.id: each for each in owners}
        self._by_account: dict[str, list[Owner]] = {}
        for each in self._by_id.values():
            self._by_account.setdefault(each.account_uri, []).append(each)

    def of(self, delivery: Delivery) -> Sequence[Owner] | None:
        """Return a delivery's owners by ascending id; None if no integration has its address."""
        if delivery.integration_id is not None:
            owner = self._by_id.get(delivery.integration_id)
            return None if owner is None else [owner]
        named = {
            owner.id: owner
            for uri in delivery.webhook.account_uris
            for owner in self._by_account.get(uri, ())
        }
        return [named[each] for each in sorted(named)]


def _named(deliveries: Sequence[Delivery]) -> tuple[list[IntegrationId], list[str]]:
    ids: set[IntegrationId] = set()
    accounts: set[str] = set()
    for each in deliveries:
        if each.integration_id is not None:
            ids.add(each.integration_id)
        else:
            accounts.update(each.webhook.account_uris)
    return sorted(ids), sorted(accounts)


async def _read_owners(
    uow: UnitOfWork, ids: Sequence[IntegrationId], accounts: Sequence[str]
) -> Sequence[Owner]:
    by_id = [await uow.integrations.get(each) for each in ids]
    by_account = await uow.integrations.by_accounts(accounts) if accounts else ()
    return [Owner.of(each) for each in (*by_id, *by_account) if each is not None]


async def _insert(
    uow: UnitOfWork, entries: Sequence[_Entry | None]
) -> dict[WebhookEventId, _Entry]:
    """Store the events whose keys are new, the first of each key; return their entries."""
    first: dict[str, _Entry] = {}
    for each in entries:
        if each is not None:
            first.setdefault(each.new.event.dedupe_key, each)
    stored = await uow.webhook_events.store([each.new for each in first.values()])
    return {each.new.event.id: each for key, each in first.items() if key in stored}


def _is_applied(new: NewEvent) -> bool:
    return new.status is WebhookStatus.APPLIED


def _result(entry: _Entry, fresh: Container[WebhookEventId]) -> IngestResult:
    new = entry.new
    if new.event.id not in fresh:
        return IngestResult(DUPLICATE)
    if new.status is WebhookStatus.PENDING:
        reason = UNAPPLIED if entry.webhook.unreadable is None else UNREADABLE
        return IngestResult(STORED, new.event.id, reason=reason)
    return IngestResult(STORED, new.event.id, applied=_is_applied(new), reason=new.reason)
