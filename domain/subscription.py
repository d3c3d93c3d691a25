"""Compare desired with actual webhook subscriptions and plan the steps.

Calendly cannot update or re-enable a subscription, so a disabled one is replaced. The new one is
created before the old one is deleted, under its own callback URL, so that no event is lost.
"""

from collections.abc import Sequence
from enum import StrEnum
from uuid import UUID

import msgspec

from domain.ids import IntegrationId
from domain.secret import Secret
from domain.subscription_signing import is_marked_otherwise

USER_EVENTS = (
    "invitee.created",
    "invitee.canceled",
    "invitee_no_show.created",
    "invitee_no_show.deleted",
    "event_type.created",
    "event_type.updated",
    "event_type.deleted",
)


class ActualSubscription(msgspec.Struct, frozen=True):
    """A subscription as Calendly lists it."""

    uri: str
    callback_url: str
    state: str
    events: tuple[str, ...]
    retry_started_at: str | None = None


class ReplaceReason(StrEnum):
    """Why an integration's known subscription is replaced."""

    MISSING = "missing"
    DISABLED = "disabled"
    MOVED = "moved"
    KINDS = "kinds"
    REKEYED = "rekeyed"


class Plan(msgspec.Struct, frozen=True):
    """The steps to take, in this order.

    Args:
        keep: the good subscription; None if a new one, with a new callback URL, has to be created.
        delete: URIs to delete afterwards.
        failing: whether Calendly retries deliveries to the kept one: an early warning.
        reason: why the known subscription is replaced; None if it is kept or none is known.

    """

    keep: ActualSubscription | None
    delete: tuple[str, ...]
    failing: bool
    reason: ReplaceReason | None = None


def plan(
    actual: Sequence[ActualSubscription],
    *,
    ours: str,
    current: str | None,
    known: str | None = None,
    signing_key: Secret,
    events: Sequence[str] = USER_EVENTS,
) -> Plan:
    """Compare the listed subscriptions with the one that an integration should have.

    Args:
        actual: all subscriptions that Calendly lists for the user.
        ours: the prefix of this integration's callback URLs; other subscriptions are left alone.
        current: the known callback URL, or None.
        known: the URI of the known subscription, or None. It is ours even at another address,
            because our public address may have changed.
        signing_key: the newest configured key. A subscription whose key is derived from an earlier
            one is replaced, so that the operator can remove the earlier one.
        events: the kinds it has to receive.

    """
    mine = own(actual, ours=ours, known=known)
    stale = current is not None and is_marked_otherwise(key_of(current), signing_key)
    keep = next((each for each in mine if not stale and _is_good(each, current, events)), None)
    return Plan(
        keep=keep,
        delete=tuple(each.uri for each in mine if each is not keep),
        failing=keep is not None and keep.retry_started_at is not None,
        reason=None if keep or current is None else _reason(mine, current, known, events),
    )


def own(
    actual: Sequence[ActualSubscription], *, ours: str, known: str | None
) -> list[ActualSubscription]:
    """Return the subscriptions of the integration; see `plan` for the arguments."""
    return [each for each in actual if each.callback_url.startswith(ours) or each.uri == known]


def _is_good(each: ActualSubscription, current: str | None, events: Sequence[str]) -> bool:
    return (
        each.callback_url == current and each.state == "active" and set(events) <= set(each.events)
    )


def _reason(
    mine: Sequence[ActualSubscription], current: str, known: str | None, events: Sequence[str]
) -> ReplaceReason:
    before = next(
        (each for each in mine if each.uri == known or each.callback_url == current), None
    )
    if before is None:
        return ReplaceReason.MISSING
    if before.state != "active":
        return ReplaceReason.DISABLED
    if before.callback_url != current:
        return ReplaceReason.MOVED
    return ReplaceReason.KINDS if not set(events) <= set(before.events) else ReplaceReason.REKEYED


def key_of(callback_url: str) -> str:
    """Return the last part of a callback URL: the subscription's key."""
    return callback_url.rsplit("/", 1)[-1]


def new_key(integration_id: IntegrationId, token: str) -> str:
    """Return a subscription key: the integration's id and a token."""
    return f"{integration_id.hex}-{token}"


def owner_of(key: str) -> IntegrationId | None:
    """Return the integration that a subscription key names, or None.

    Both subscriptions of a replacement name it, so deliveries to either are accepted.
    """
    named, separator, _ = key.partition("-")
    if not separator:
        return None
    try:
        return IntegrationId(UUID(hex=named))
    except ValueError:
        return None


def own_prefix(callback_base: str, integration_id: IntegrationId) -> str:
    """Return the prefix of all callback URLs of this integration."""
    return f"{callback_base}/{integration_id.hex}-"
