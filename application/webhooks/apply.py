"""The effect of one webhook, inside the transaction that stores it.

Whoever stores the event as well does so between `settle_notice` and `overtake_cache`: locks are
taken in this order everywhere (the integration's facts, the event's key, the integration's row),
so that no two transactions ever wait for each other in a circle.
"""

from collections.abc import Sequence
from datetime import datetime

from application.bookings.merge_facts import merge_facts
from application.ports.randomness import Randomness
from application.ports.storage.availability_cache import Change, Scope
from application.ports.storage.bookings import Owner
from application.ports.storage.unit_of_work import UnitOfWork
from domain.integration import Integration
from domain.webhook import ParsedWebhook, Topic, topic

APPLIED = "applied"
IGNORED = "ignored"
UNKNOWN_KIND = "unknown_kind"
NOBODYS = "nobodys_event"
UNREADABLE = "webhook_unreadable"
UNREADABLE_ERROR = "WebhookUnreadable"


async def integrations_of(
    uow: UnitOfWork, webhook: ParsedWebhook, integration: Integration | None
) -> Sequence[Integration]:
    """Return whom a notice concerns: the one its address named, or those its body names."""
    if integration is not None:
        return [integration]
    return await uow.integrations.by_accounts(webhook.account_uris)


def why_ignored(webhook: ParsedWebhook, concerned: Sequence[Integration | Owner]) -> str | None:
    """Return why a notice has no effect here, or None when it has one."""
    if topic(webhook.kind) is Topic.NONE:
        return UNKNOWN_KIND
    return None if concerned else NOBODYS


async def apply_webhook(
    uow: UnitOfWork,
    randomness: Randomness,
    webhook: ParsedWebhook,
    integrations: Sequence[Integration],
    now: datetime,
) -> str | None:
    """Apply a notice to bookings and cache; return why it has no effect, or None.

    Applying one twice changes nothing the second time.
    """
    reason = why_ignored(webhook, integrations)
    if reason is None:
        await settle_notice(uow, randomness, webhook, integrations)
        await invalidate_cache(uow, webhook, integrations, now)
    return reason


async def settle_notice(
    uow: UnitOfWork,
    randomness: Randomness,
    webhook: ParsedWebhook,
    integrations: Sequence[Integration],
) -> None:
    """Write what a notice says of a booking, for each integration by ascending id."""
    if webhook.facts is not None:
        for integration in integrations:
            await merge_facts(uow, randomness, integration, [webhook.facts])


async def invalidate_cache(
    uow: UnitOfWork, webhook: ParsedWebhook, integrations: Sequence[Integration], now: datetime
) -> None:
    """Invalidate what a notice changes of what is cached of the users whom it concerns."""
    users = sorted(each.user_id for each in integrations)
    await uow.availability.invalidate_each(dict.fromkeys(users, change_of(webhook.kind)), now)


def change_of(kind: str) -> Change:
    """Return what a notice of that kind overtakes of what is cached."""
    is_event_type = topic(kind) is Topic.EVENT_TYPE
    return Change.of(kind, Scope.EVENT_TYPES if is_event_type else Scope.BOOKINGS)
