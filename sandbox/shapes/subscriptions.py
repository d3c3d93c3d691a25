"""Webhook subscriptions as Calendly writes them; the signing key is never shown."""

from typing import Any

from sandbox.state.subscriptions import Subscription
from sandbox.timestamps import maybe_micros, micros
from sandbox.world import World


def subscription(world: World, record: Subscription) -> dict[str, Any]:
    """`GET /webhook_subscriptions/{uuid}`."""
    return {
        "callback_url": record.callback_url,
        "created_at": micros(record.created_at),
        "creator": world.uri("users", record.creator.uuid),
        "events": list(record.events),
        "group": None,
        "organization": world.uri("organizations", record.organization.uuid),
        "retry_started_at": maybe_micros(record.retry_started_at),
        "scope": record.scope,
        "state": record.state,
        "updated_at": micros(record.updated_at),
        "uri": world.uri("webhook_subscriptions", record.uuid),
        "user": None if record.user is None else world.uri("users", record.user.uuid),
    }
