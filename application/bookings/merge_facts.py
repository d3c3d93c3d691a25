"""Merge facts into the stored bookings: the only way a booking ever changes."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from application.ports.randomness import Randomness
from application.ports.storage.bookings import Owner
from application.ports.storage.unit_of_work import UnitOfWork
from application.privacy.filter_erased import find_erased
from domain.booking import Booking, Facts
from domain.erasure import without_erased
from domain.ids import BookingId
from domain.reconciliation import Change, related_events, related_uris, settle


class OwnerFacts(NamedTuple):
    """New facts about one integration's bookings, in any order, duplicates included."""

    owner: Owner
    facts: list[Facts]


async def merge_facts(
    uow: UnitOfWork, randomness: Randomness, facts_by_owner: Sequence[OwnerFacts]
) -> Mapping[Owner, Sequence[Change]]:
    """Merge facts into the bookings of several integrations, with one statement per step.

    Args:
        uow: the caller's transaction, which has locked the owners' booking facts.
        randomness: for the ids of new bookings.
        facts_by_owner: the facts; an owner comes once.

    Returns:
        The changes by ascending invitee URI, of the owners whose bookings changed.

    """
    if not facts_by_owner:
        return {}
    known = await uow.bookings.related(
        {owner.id: sorted(related_uris(facts)) for owner, facts in facts_by_owner},
        {owner.id: related_events(facts) for owner, facts in facts_by_owner},
    )
    erased = await find_erased(uow, [each for one in facts_by_owner for each in one.facts])
    changes: dict[Owner, Sequence[Change]] = {}
    bookings: list[Booking] = []
    for owner, facts in facts_by_owner:
        stored = known[owner.id]
        observed = without_erased(facts, erased, stored)
        changed = settle({uri: each.facts for uri, each in stored.items()}, observed)
        if changed:
            changes[owner] = changed
            bookings += (_booking(randomness, owner, stored, each.facts) for each in changed)
    await uow.bookings.put(bookings)
    return changes


def _booking(
    randomness: Randomness, owner: Owner, stored: Mapping[str, Booking], facts: Facts
) -> Booking:
    known = stored.get(facts.invitee_uri)
    return Booking(
        id=BookingId(randomness.new_id()) if known is None else known.id,
        user_id=owner.user_id,
        integration_id=owner.id,
        facts=facts,
    )
