"""The effect of one webhook, inside the transaction that stores it."""

from collections.abc import Sequence
from datetime import datetime

from application.ports.entropy import Entropy
from application.ports.unit_of_work import UnitOfWork
from application.settle_bookings import settle_bookings
from domain.integration import Integration
from domain.webhook import Notice, Topic, topic

APPLIED = "applied"
IGNORED = "ignored"
UNKNOWN_KIND = "unknown_kind"
NOBODYS = "nobodys_event"
UNREADABLE = "webhook_unreadable"
UNREADABLE_ERROR = "WebhookUnreadable"


async def integrations_of(
    uow: UnitOfWork, notice: Notice, integration: Integration | None
) -> Sequence[Integration]:
    """Return whom a notice concerns: the one its address named, or those its body names."""
    if integration is not None:
        return [integration]
    return await uow.integrations.by_accounts(notice.account_uris)


async def apply_webhook(
    uow: UnitOfWork,
    entropy: Entropy,
    notice: Notice,
    integrations: Sequence[Integration],
    now: datetime,
) -> str | None:
    """Apply a notice to bookings and cache; return why it has no effect, or None.

    Applying one twice changes nothing the second time.
    """
    concern = topic(notice.kind)
    if concern is Topic.NONE:
        return UNKNOWN_KIND
    if not integrations:
        return NOBODYS
    if notice.facts is not None:
        for integration in integrations:
            await settle_bookings(uow, entropy, integration, [notice.facts])
    users = sorted(each.user_id for each in integrations)
    await uow.availability.invalidate(users, now, by=notice.kind)
    return None
