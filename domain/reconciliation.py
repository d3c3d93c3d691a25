"""Stored against observed bookings: which rows to write so that ours say what Calendly says.

The same function serves webhooks, back-fill and the reconciliation sweep, so a booking is the
same whichever way it became known.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime

import msgspec

from domain.booking import Facts, mark_settled, merge, succeeded_by


class Change(msgspec.Struct, frozen=True):
    """One booking to write.

    Args:
        facts: what it becomes.
        before: what was stored, or None where no row existed.
        happened_at: when Calendly says that it became so, as far as it says (UTC).

    """

    facts: Facts
    before: Facts | None
    happened_at: datetime

    @property
    def is_repair(self) -> bool:
        """Whether readers of the bookings were told something wrong until now."""
        if self.before is None or self.before.status is not self.facts.status:
            return True
        return _is_no_show(self.before) is not _is_no_show(self.facts)


def _is_no_show(facts: Facts) -> bool:
    return facts.no_show is not None and facts.no_show.uri is not None


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
    for facts in observed:
        before = state.get(facts.invitee_uri)
        state[facts.invitee_uri] = facts if before is None else merge(before, facts)
    state = {uri: mark_settled(facts) for uri, facts in state.items()}
    _link(state)
    return [
        Change(facts=facts, before=known.get(uri), happened_at=_happened_at(facts, known, state))
        for uri, facts in sorted(state.items())
        if known.get(uri) != facts
    ]


def _happened_at(facts: Facts, known: Mapping[str, Facts], state: Mapping[str, Facts]) -> datetime:
    before = known.get(facts.invitee_uri)
    if before is None:
        return facts.created_at
    if before.status is not facts.status:
        successor = state.get(facts.successor or "")
        if successor is not None:  # the older half often says nothing of its own change
            return successor.created_at
        return facts.cancellation.at if facts.cancellation else facts.details.updated_at
    if facts.no_show is not None and _is_no_show(facts):
        return facts.no_show.at
    return facts.details.updated_at


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
