"""Desired against actual webhook subscriptions: a pure plan.

Calendly has no update and no re-enable: a disabled subscription is replaced. The new one is
created before the old one goes, under its own callback URL, so that no event falls between.
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


class Trouble(StrEnum):
    """Why the subscription that an integration knows cannot be kept."""

    MISSING = "missing"
    DISABLED = "disabled"
    MOVED = "moved"
    KINDS = "kinds"
    REKEYED = "rekeyed"


class Plan(msgspec.Struct, frozen=True):
    """What has to be done, in this order.

    Args:
        keep: the subscription that is good; None when a new one, with a new callback URL, has
            to be made first.
        delete: URIs to delete afterwards.
        failing: whether Calendly is retrying deliveries to the kept one: an early warning.
        trouble: why the known one is not kept; None where it is, or where none is known.

    """

    keep: ActualSubscription | None
    delete: tuple[str, ...]
    failing: bool
    trouble: Trouble | None = None


def plan(
    actual: Sequence[ActualSubscription],
    *,
    ours: str,
    current: str | None,
    known: str | None = None,
    signing_key: Secret,
    events: Sequence[str] = USER_EVENTS,
) -> Plan:
    """Compare what Calendly lists with the one subscription an integration should have.

    Args:
        actual: everything Calendly lists for the user.
        ours: prefix of every callback URL of this integration; others' are never touched.
        current: the callback URL that the integration knows, or None.
        known: the URI of the subscription that the integration knows, or None. It is ours even
            at another address, which is where it is after our public address has changed.
        signing_key: the newest configured one. A subscription whose own key comes from an
            earlier one is replaced, so that the earlier one can be taken away.
        events: the kinds it has to receive.

    """
    mine = own(actual, ours=ours, known=known)
    stale = current is not None and is_marked_otherwise(key_of(current), signing_key)
    keep = next((each for each in mine if not stale and _is_good(each, current, events)), None)
    return Plan(
        keep=keep,
        delete=tuple(each.uri for each in mine if each is not keep),
        failing=keep is not None and keep.retry_started_at is not None,
        trouble=None if keep or current is None else _trouble(mine, current, known, events),
    )


def own(
    actual: Sequence[ActualSubscription], *, ours: str, known: str | None
) -> list[ActualSubscription]:
    """Return those that belong to the integration; see `plan` for the arguments."""
    return [each for each in actual if each.callback_url.startswith(ours) or each.uri == known]


def _is_good(each: ActualSubscription, current: str | None, events: Sequence[str]) -> bool:
    return (
        each.callback_url == current and each.state == "active" and set(events) <= set(each.events)
    )


def _trouble(
    mine: Sequence[ActualSubscription], current: str, known: str | None, events: Sequence[str]
) -> Trouble:
    found = next(
        (each for each in mine if each.uri == known or each.callback_url == current), None
    )
    if found is None:
        return Trouble.MISSING
    if found.state != "active":
        return Trouble.DISABLED
    if found.callback_url != current:
        return Trouble.MOVED
    return Trouble.KINDS if not set(events) <= set(found.events) else Trouble.REKEYED


def key_of(callback_url: str) -> str:
    """Return the last part of a callback URL, by which a subscription is known."""
    return callback_url.rsplit("/", 1)[-1]


def new_key(integration_id: IntegrationId, token: str) -> str:
    """Return the last part of a callback URL: whose it is, and which one of theirs."""
    return f"{integration_id.hex}-{token}"


def owner_of(key: str) -> IntegrationId | None:
    """Return the integration that a subscription key names, or None when it names none.

    The old and the new subscription of a replacement both name it, so deliveries to either
    arrive while the two overlap.
    """
    named, separator, _ = key.partition("-")
    if not separator:
        return None
    try:
        return IntegrationId(UUID(hex=named))
    except ValueError:
        return None


def own_prefix(callback_base: str, integration_id: IntegrationId) -> str:
    """Return what every callback URL of this integration starts with."""
    return f"{callback_base}/{integration_id.hex}-"
