"""Apply webhooks to bookings and cache, inside the transaction that records them.

Every transaction takes locks in one order: the integrations' booking facts by ascending id, the
events' keys, the integrations' rows. So no two transactions wait for each other in a circle.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from application.bookings.merge_facts import OwnerFacts, merge_facts
from application.ports.randomness import Randomness
from application.ports.storage.availability_cache import Change, Scope
from application.ports.storage.bookings import Owner
from application.ports.storage.unit_of_work import UnitOfWork
from domain.ids import IntegrationId, UserId
from domain.integration import Integration
from domain.webhook import ParsedWebhook, Topic, topic

APPLIED = "applied"
IGNORED = "ignored"
UNKNOWN_KIND = "unknown_kind"
NOBODYS = "nobodys_event"
UNREADABLE = "webhook_unreadable"
UNREADABLE_ERROR = "WebhookUnreadable"


def why_ignored(webhook: ParsedWebhook, owners: Sequence[Integration | Owner]) -> str | None:
    """Return why a webhook has no effect here, or None if it has one."""
    if topic(webhook.kind) is Topic.NONE:
        return UNKNOWN_KIND
    return None if owners else NOBODYS


async def apply_webhooks(
    uow: UnitOfWork,
    randomness: Randomness,
    webhooks: Iterable[tuple[ParsedWebhook, Sequence[Owner]]],
    now: datetime,
) -> None:
    """Merge what webhooks say into bookings and invalidate the cache; safe to repeat.

    Args:
        uow: the transaction, which has locked the owners' booking facts.
        randomness: for the ids of new bookings.
        webhooks: each with the owners that it concerns.
        now: the time of the invalidation (UTC).

    """
    facts: dict[IntegrationId, OwnerFacts] = {}
    changes: dict[UserId, Change] = {}
    for webhook, owners in webhooks:
        for owner in owners:
            changes[owner.user_id] = change_of(webhook.kind).after(changes.get(owner.user_id))
            if webhook.facts is not None:
                facts.setdefault(owner.id, OwnerFacts(owner, [])).facts.append(webhook.facts)
    await merge_facts(uow, randomness, list(facts.values()))
    await uow.availability.invalidate_each(changes, now)


def change_of(kind: str) -> Change:
    """Return the cache entries that a webhook of this kind invalidates."""
    is_event_type = topic(kind) is Topic.EVENT_TYPE
    return Change.of(kind, Scope.EVENT_TYPES if is_event_type else Scope.BOOKINGS)
