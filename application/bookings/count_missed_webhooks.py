"""Count the changes of a reconciliation that mean that webhooks were lost.

A change that a stored webhook reports was not lost, even if the webhook is not applied yet: pending
webhooks have metrics of their own. One query serves all changes.
"""

from collections.abc import Collection, Sequence
from datetime import datetime

from application.ports.storage.unit_of_work import UnitOfWork
from application.ports.storage.webhook_events import WebhookEvent
from domain.booking import LAG, Facts, is_hosted_by
from domain.ids import IntegrationId
from domain.integration import Integration
from domain.reconciliation import Change, Missed, is_overdue
from domain.webhook import APP_WIDE, CANCELED_KIND, INVITEE_KINDS, ParsedWebhook, dedupe_key

MAX_PENDING = 1_000  # newest first; more pending webhooks are an outage with its own alarms


async def count_missed_webhooks(
    uow: UnitOfWork,
    integration: Integration,
    changes: Sequence[Change],
    now: datetime,
    *,
    reassigned: Collection[str] = (),
) -> int:
    """Return how many changes a webhook should have reported and did not.

    Args:
        uow: the transaction that merged them.
        integration: the owner of the bookings.
        changes: the changes that a reconciliation made.
        now: the time of the reconciliation (UTC).
        reassigned: the invitees that a colleague had; Calendly sends no webhook when one of these
            comes to this integration.

    """
    late = [
        (change.facts, missed)
        for change in changes
        if not (change.facts.invitee_uri in reassigned and _comes_to(integration, change))
        for missed in change.missed
        if is_overdue(missed, integration, now)
    ]
    if not late:
        return 0
    stored = await uow.webhook_events.unapplied(
        integration.id,
        frozenset().union(*(missed.kinds for _, missed in late)),
        min(missed.at for _, missed in late) - LAG,
        MAX_PENDING,
    )
    lost = {
        facts.invitee_uri
        for facts, missed in late
        if not any(_reports(event, integration.id, facts, missed) for event in stored)
    }
    return len(lost)


def _comes_to(integration: Integration, change: Change) -> bool:
    user_uri = integration.account.user_uri
    return change.before is None or not is_hosted_by(change.before, user_uri)


def _reports(
    event: WebhookEvent, integration_id: IntegrationId, facts: Facts, missed: Missed
) -> bool:
    if event.kind not in missed.kinds:
        return False
    if event.dedupe_key in _keys(event, integration_id, facts):
        return True
    # A body that could not be read so far still contains the invitee's URI. One delivery may report
    # a canceled event for all its invitees; it contains the event's URI.
    body = event.body.replace(b"\\/", b"/")
    uris = [facts.invitee_uri]
    if facts.event_canceled_at is not None and event.kind == CANCELED_KIND:
        uris.append(facts.event_uri)
    is_named = any(f'"{uri}"'.encode() in body for uri in uris)
    return is_named and event.received_at >= missed.at - LAG


def _keys(event: WebhookEvent, integration_id: IntegrationId, facts: Facts) -> Collection[str]:
    """Return the keys that this event may have; the removal of a mark has no such key.

    They identify an event whose body does not open.
    """
    if event.kind in INVITEE_KINDS:
        subject: str | None = facts.invitee_uri
    else:
        subject = facts.no_show.uri if facts.no_show else None
    if subject is None:
        return ()
    webhook = ParsedWebhook(kind=event.kind, occurred_at=event.occurred_at, subject=subject)
    return [dedupe_key(webhook, b"", scope) for scope in (str(integration_id), APP_WIDE)]
