"""Addresses that Calendly is told: they must not change while accounts are connected."""

from adapters.wiring.resources import Resources

CALLBACK_PATH = "/api/calendly/callback"
WEBHOOK_PATH = "/api/calendly/webhooks"


def public(made: Resources, path: str) -> str:
    """Return a path of ours as the outside reaches it."""
    return made.settings.public_url.rstrip("/") + path
