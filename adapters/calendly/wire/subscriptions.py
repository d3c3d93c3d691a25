"""Webhook subscriptions (Calendly: List Webhook Subscriptions)."""

import msgspec


class Subscription(msgspec.Struct):
    """A subscription; a request has `url`, a response `callback_url`."""

    uri: str
    callback_url: str
    state: str
    events: tuple[str, ...]
    retry_started_at: str | None = None
