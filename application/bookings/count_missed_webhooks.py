"""How many changes of a comparison mean that webhooks were lost.

The rule not to break: what a stored webhook tells was not lost, although it had no effect yet; the
leftovers are told of by their own signals. One question to the store answers for all changes.
"""

from collections.abc import Collection, Sequence
from datetime import datetime

from application.ports.storage.unit_of_work import UnitOfWork
from application.ports.storage.webhook_events import WebhookEvent
from domain.booking import LAG, Facts, is_hosted_by
from domain.ids import IntegrationId
from domain.integration import Integration
from domain.lost_webhooks import expected_of, is_overdue
from domain.reconciliation import Change, Missed
from domain.webhook import APP_WIDE, INVITEE_KINDS, ParsedWebhook, dedupe_key

MOST = 1_000  # leftovers looked at, the newest first; more are an outage with its own alarms


async def count_missed_webhooks(
    uow: UnitOfWork,
    integration: Integration,
    changes: Sequence[Change],
    now: datetime,
    *,
    reassigned: Collection[str] = (),
) -> int:
    """Return how many of the changes were for lack of a webhook that had to come.

    Args:
        uow: the transaction that settled them.
        integration: whose bookings they are.
        changes: what a comparison changed.
        now: the moment of the comparison (UTC).
        reassigned: the invitees that a colleague had; Calendly sends no webhook when one of these
            comes to this integration.

    """
    expected = expected_of(integration)
    late = [
        (change.facts, missed)
        for change in changes
        if not (change.facts.invitee_uri in reassigned and _comes_to(integration, change))
        for missed in change.missed
        if is_overdue(missed, expected, now)
    ]
    if not late:
        return 0
    stored = await uow.webhook_events.unapplied(
        integration.id,
        frozenset().union(*(missed.kinds for _, missed in late)),
        min(missed.at for _, missed in late) - LAG,
        MOST,
    )
    lost = {
        facts.invitee_uri
        for facts, missed in late
        if not any(_tells(event, integration.id, facts, missed) for event in stored)
    }
    return len(lost)


def _comes_to(integration: Integration, change: Change) -> bool:
    user_uri = integration.account.user_uri
    return change.before is None or not is_hosted_by(change.before, user_uri)


def _tells(
    event: WebhookEvent, integration_id: IntegrationId, facts: Facts, missed: Missed
) -> bool:
    if event.kind not in missed.kinds:
        return False
    if event.dedupe_key in _keys(event, integration_id, facts):
        return True
    # Also of a body that nobody could read so far it is known whom it names.
    named = f'"{facts.invitee_uri}"'.encode()
    return event.received_at >= missed.at - LAG and named in event.body.replace(b"\\/", b"/")


def _keys(event: WebhookEvent, integration_id: IntegrationId, facts: Facts) -> Collection[str]:
    """The keys that tell the event where its body does not open; a mark's end has no such key."""
    if event.kind in INVITEE_KINDS:
        subject: str | None = facts.invitee_uri
    else:
        subject = facts.no_show.uri if facts.no_show else None
    if subject is None:
        return ()
    webhook = ParsedWebhook(kind=event.kind, occurred_at=event.occurred_at, subject=subject)
    return [dedupe_key(webhook, b"", scope) for scope in (str(integration_id), APP_WIDE)]
