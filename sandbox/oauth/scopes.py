"""OAuth scopes: the catalogue, and what a granted set opens."""

from collections.abc import Iterable

LEGACY = "default"

# The consent page describes each scope with this text.
CATALOGUE = {
    "users:read": "See your profile",
    "organizations:read": "See your organization and its members",
    "organizations:write": "Manage your organization and its members",
    "groups:read": "See groups of your organization",
    "event_types:read": "See your event types",
    "event_types:write": "Create and change your event types",
    "availability:read": "See when you are available and busy",
    "availability:write": "Change your availability",
    "scheduled_events:read": "See your scheduled events and who attends",
    "scheduled_events:write": "Book and cancel meetings and mark no-shows",
    "scheduling_links:write": "Create single-use booking links",
    "shares:write": "Create customized one-off links",
    "routing_forms:read": "See routing forms and their submissions",
    "locations:read": "See your meeting locations",
    "webhooks:read": "See webhook subscriptions",
    "webhooks:write": "Receive bookings by webhook",
    "activity_log:read": "See the activity log of your organization",
    "data_compliance:write": "Delete data of invitees",
    "outgoing_communications:read": "See messages sent to invitees",
    "contacts:read": "See your contacts",
    "contacts:write": "Change your contacts",
    "meeting_recaps:read": "See recaps of your meetings",
    "meeting_recaps:write": "Change recaps of your meetings",
}


def opens(granted: Iterable[str], needed: str) -> bool:
    """Whether a grant covers `needed`: `x:write` includes `x:read`, `default` everything."""
    family, _, kind = needed.partition(":")
    accepted = {needed, LEGACY, f"{family}:write"} if kind == "read" else {needed, LEGACY}
    return not accepted.isdisjoint(granted)


def parse_scopes(text: str) -> tuple[str, ...] | None:
    """Split a `scope` parameter, without repeats; None when it names an unknown scope."""
    names = tuple(dict.fromkeys(text.split()))
    known = all(name in CATALOGUE or name == LEGACY for name in names)
    return names if known else None
