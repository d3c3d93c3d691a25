"""Merge observed facts into stored bookings, and find the changes that webhooks did not report.

Webhooks, the first read after connecting and the regular reconciliation use the same function, so
a booking does not depend on how it became known.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

import msgspec

from domain.booking import (
    BookingStatus,
    Facts,
    NoShow,
    merge,
    of_canceled_event,
    succeeded_by,
)
from domain.integration import Integration
from domain.reads import as_of_read, mark_settled

_CREATED = frozenset({"invitee.created"})
_CANCELED = frozenset({"invitee.canceled"})
_MARKED = frozenset({"invitee_no_show.created"})
_UNMARKED = frozenset({"invitee_no_show.deleted"})


IN_FLIGHT = timedelta(minutes=5)
"""How long after a change its webhook may still be in flight."""


class Missed(msgspec.Struct, frozen=True):
    """One change that the stored bookings did not show until now.

    Args:
        at: when Calendly says that it happened, as far as it says (UTC).
        kinds: the kinds of webhook that report it; any one of them is enough.

    """

    at: datetime
    kinds: frozenset[str]


class Change(msgspec.Struct, frozen=True):
    """One booking to write.

    Args:
        facts: the new facts.
        before: the stored facts, or None if there was no row.
        missed: the changes of status and mark; a changed detail is not one of them.

    """

    facts: Facts
    before: Facts | None
    missed: tuple[Missed, ...] = ()


def related_uris(observed: Iterable[Facts]) -> set[str]:
    """Return the invitees whose rows must be read and locked to merge these facts.

    Rows that name one of them as their predecessor or successor are needed as well.
    """
    uris: set[str] = set()
    for facts in observed:
        uris.add(facts.invitee_uri)
        uris.update(uri for uri in (facts.predecessor, facts.successor) if uri)
    return uris


def related_events(observed: Iterable[Facts]) -> dict[str, bool]:
    """Return the events of these facts, and whether the facts say that the event is canceled."""
    events: dict[str, bool] = {}
    for facts in observed:
        is_canceled = facts.event_canceled_at is not None
        events[facts.event_uri] = events.get(facts.event_uri, False) or is_canceled
    return events


def settle(known: Mapping[str, Facts], observed: Iterable[Facts]) -> list[Change]:
    """Return the bookings that change when the observed facts are merged into the known ones.

    A reschedule links both halves, in either order: the predecessor is closed as rescheduled,
    and the successor gets its predecessor. A canceled event cancels all its known bookings, also
    those that become known later: Calendly may send one delivery for all invitees.

    Args:
        known: stored facts by invitee URI, including those of all `related_uris` and
            `related_events`.
        observed: facts in any order, duplicates included.

    Returns:
        The changes by ascending invitee URI.

    """
    state = dict(known)
    # Calendly's own dates: a read that replaces facts dates them by the start of the read.
    changed_at = {uri: facts.details.updated_at for uri, facts in known.items()}
    for facts in observed:
        uri, at = facts.invitee_uri, facts.details.updated_at
        before = state.get(uri)
        state[uri] = facts if before is None else merge(before, as_of_read(before, facts))
        changed_at[uri] = max(changed_at.get(uri, at), at)
    state = {uri: mark_settled(facts) for uri, facts in state.items()}
    _cancel_with_events(state, changed_at)
    _link(state)
    return [
        Change(facts, before, _missed(facts, before, state, changed_at[uri]))
        for uri, facts in sorted(state.items())
        if (before := known.get(uri)) != facts
    ]


def is_overdue(missed: Missed, integration: Integration, now: datetime) -> bool:
    """Whether a webhook should have reported this change, and will not arrive any more.

    A count of such changes above zero alerts a person, so it includes only losses: a change before
    the first subscription has no webhook. A change within a gap is not waited for.
    """
    since, gap = integration.subscribed_since, integration.gap
    if since is None or missed.at < since:
        return False
    return missed.at <= now - IN_FLIGHT or (gap is not None and missed.at <= gap.until)


def _missed(
    facts: Facts, before: Facts | None, state: Mapping[str, Facts], changed_at: datetime
) -> tuple[Missed, ...]:
    missed = [] if before else [Missed(facts.created_at, _CREATED)]
    if facts.status is not (before.status if before else BookingStatus.BOOKED):
        missed.append(_closed(facts, state, changed_at))
    mark, earlier = facts.no_show, before.no_show if before else None
    if _is_set(mark) and not _is_set(earlier) and mark is not None:
        missed.append(Missed(mark.at, _MARKED))
    elif _is_set(earlier) and not _is_set(mark) and earlier is not None:
        # Calendly gives no time: it is after the mark was set and at most the last known change.
        missed.append(Missed(max(earlier.at, changed_at), _UNMARKED))
    return tuple(missed)


def _closed(facts: Facts, state: Mapping[str, Facts], changed_at: datetime) -> Missed:
    successor = state.get(facts.successor or "")
    if successor is not None:  # the older half often does not show its own change
        return Missed(successor.created_at, _CANCELED | _CREATED)
    at = facts.cancellation.at if facts.cancellation else facts.event_canceled_at or changed_at
    rescheduled = facts.status is BookingStatus.RESCHEDULED
    return Missed(at, _CANCELED | _CREATED if rescheduled else _CANCELED)


def _is_set(mark: NoShow | None) -> bool:
    return mark is not None and mark.uri is not None


def _cancel_with_events(state: dict[str, Facts], changed_at: dict[str, datetime]) -> None:
    canceled: dict[str, datetime] = {}
    for facts in state.values():
        if (at := facts.event_canceled_at) is not None:
            canceled[facts.event_uri] = min(at, canceled.get(facts.event_uri, at))
    for uri, facts in state.items():
        settled = of_canceled_event(facts) if facts.event_uri in canceled else facts
        if settled.status is not facts.status:
            state[uri], changed_at[uri] = settled, canceled[facts.event_uri]


def _link(state: dict[str, Facts]) -> None:
    for facts in list(state.values()):
        if facts.predecessor and facts.predecessor in state:
            older = state[facts.predecessor]
            state[facts.predecessor] = succeeded_by(older, facts.invitee_uri)
        if facts.successor and facts.successor in state:
            newer = state[facts.successor]
            if newer.predecessor is None:
                state[facts.successor] = msgspec.structs.replace(
                    newer, predecessor=facts.invitee_uri
                )
