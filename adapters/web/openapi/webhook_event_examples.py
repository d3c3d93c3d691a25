"""Example values of operators' requests; see `adapters.web.openapi.examples`."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from adapters.web.schemas.invitees import EraseInvitee, Erasure
from adapters.web.schemas.webhook_events import (
    Replayed,
    WebhookEvent,
    WebhookEventPage,
    WebhookEventWithBody,
)

_NOW = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)
_DEAD: dict[str, Any] = {
    "id": UUID("0193a2b7-5e6f-7a81-9c2d-3e4f5a6b7c8d"),
    "kind": "invitee.created",
    "status": "dead_lettered",
    "attempts": 10,
    "reason": "unexpected",
    "received_at": _NOW - timedelta(hours=5),
    "occurred_at": _NOW - timedelta(hours=5, seconds=1),
    "next_attempt_at": None,
    "settled_at": None,
    "integration_id": UUID("0193a2b4-7c1d-7e3f-8a5b-6c7d8e9f0a1b"),
    "replays": 0,
    "replayed_at": None,
    "replayed_by": None,
}
_PUT_BACK: dict[str, Any] = {
    **_DEAD,
    "status": "pending",
    "attempts": 0,
    "reason": None,
    "next_attempt_at": _NOW,
    "replays": 1,
    "replayed_at": _NOW,
    "replayed_by": "api:sk_AbCdEfG",
}
WEBHOOK_EVENT_PAGE = WebhookEventPage(items=(WebhookEvent(**_DEAD),), next_cursor=None)
WEBHOOK_EVENT = WebhookEventWithBody(**_DEAD, body=None)
PUT_BACK = WebhookEvent(**_PUT_BACK)
REPLAYED = Replayed(replayed=3)
ERASE_INVITEE = EraseInvitee(email="grace@example.com")
ERASURE = Erasure(
    id=UUID("0193a2b8-6f70-7b92-8d3e-4f5a6b7c8d9e"),
    erased_at=_NOW,
    bookings=2,
    webhook_events=5,
    unreadable=0,
)
