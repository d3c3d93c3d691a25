"""Stored against observed bookings: which rows to write so that ours say what Calendly says.

The same function serves webhooks, back-fill and the reconciliation sweep, so a booking is the
same whichever way it became known.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime

import msgspec

from domain.booking import BookingStatus, Facts, NoShow, merge, succeeded_by
from domain.reads import as_of_read, mark_settled

_CREATED = frozenset({"invitee.created"})
_CANCELED = frozenset({"invitee.canceled"})
_MARKED = frozenset({"invitee_no_show.created"})
_UNMARKED = frozenset({"invitee_no_show.deleted"})


class Missed(msgspec.Struct, frozen=True):
    """One thing that readers of the bookings were not told until now.

    Args:
        at: when Calendly says that it happened, as far as it says (UTC).
        kinds: the webhooks of which any one tells it.

    """

    at: datetime
    kinds: frozenset[str]


class Change(msgspec.Struct, frozen=True):
    """One booking to write.

    Args:
        facts: what it becomes.
        before: what was stored, or None where no row existed.
        missed: what readers were told wrong until now; a changed detail is no such thing.

    """

    facts: Facts
    before: Facts | None
    missed: tuple[Missed, ...] = ()


def related_uris(observed: Iterable[Facts]) -> set[str]:
    """Return the invitees whose rows must be read (and locked) to settle these facts.

    Rows that name one of these as their predecessor or successor are needed as well.
    """
    uris: set[str] = set()
    for facts in observed:
        uris.add(facts.invitee_uri)
        uris.update(uri for uri in (facts.predecessor, facts.successor) if uri)
    return uris


def settle(known: Mapping[str, Facts], observed: Iterable[Facts]) -> list[Change]:
    """Return the bookings that change when the observed facts join the known ones.

    Args:
        known: stored facts by invitee URI, with every relative of the observed ones.
        observed: facts in any order, duplicates included.

    A reschedule links both halves whichever comes first: an invitee that some other names as
    predecessor is closed as rescheduled, and the successor learns its predecessor.

    """
    state = dict(known)
    # As Calendly dates them: a read that is taken over dates what it says by its own question.
    changed_at = {uri: facts.details.updated_at for uri, facts in known.items()}
    for facts in observed:
        uri, at = facts.invitee_uri, facts.details.updated_at
        before = state.get(uri)
        state[uri] = facts if before is None else merge(before, as_of_read(before, facts))
        changed_at[uri] = max(changed_at.get(uri, at), at)
    state = {uri: mark_settled(facts) for uri, facts in state.items()}
    _link(state)
    return [
        Change(facts, before, _missed(facts, before, state, changed_at[uri]))
        for uri, facts in sorted(state.items())
        if (before := known.get(uri)) != facts
    ]


def _missed(
    facts: Facts, before: Facts | None, state: Mapping[str, Facts], changed_at: datetime
) -> tuple[Missed, ...]:
    found = [] if before else [Missed(facts.created_at, _CREATED)]
    if facts.status is not (before.status if before else BookingStatus.BOOKED):
        found.append(_closed(facts, state, changed_at))
    mark, earlier = facts.no_show, before.no_show if before else None
    if _is_set(mark) and not _is_set(earlier) and mark is not None:
        found.append(Missed(mark.at, _MARKED))
    elif _is_set(earlier) and not _is_set(mark) and earlier is not None:
        # Calendly does not say when: after it was set, and not after the last change it tells of.
        found.append(Missed(max(earlier.at, changed_at), _UNMARKED))
    return tuple(found)


def _closed(facts: Facts, state: Mapping[str, Facts], changed_at: datetime) -> Missed:
    successor = state.get(facts.successor or "")
    if successor is not None:  # the older half often says nothing of its own change
        return Missed(successor.created_at, _CANCELED | _CREATED)
    at = facts.cancellation.at if facts.cancellation else changed_at
    rescheduled = facts.status is BookingStatus.RESCHEDULED
    return Missed(at, _CANCELED | _CREATED if rescheduled else _CANCELED)


def _is_set(mark: NoShow | None) -> bool:
    return mark is not None and mark.uri is not None


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
