"""Write what facts say into the store of bookings: the one way a booking ever changes."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from application.ports.randomness import Randomness
from application.ports.storage.bookings import Owner
from application.ports.storage.unit_of_work import UnitOfWork
from application.privacy.filter_erased import find_erased, remove_erased
from domain.booking import Booking, Facts
from domain.erasure import without_erased
from domain.ids import BookingId
from domain.integration import Integration
from domain.reconciliation import Change, related_uris, settle


class OwnerFacts(NamedTuple):
    """What became known of one integration's bookings, in any order, duplicates included."""

    owner: Owner
    facts: list[Facts]


async def merge_facts(
    uow: UnitOfWork, randomness: Randomness, integration: Integration, facts: Sequence[Facts]
) -> list[Change]:
    """Settle facts against the integration's bookings, inside the caller's transaction.

    Returns:
        What changed, by ascending invitee URI; nothing when everything was known.

    """
    known = await uow.bookings.related(integration.id, sorted(related_uris(facts)))
    facts = await remove_erased(uow, facts, known)
    changes = settle({uri: each.facts for uri, each in known.items()}, facts)
    await uow.bookings.put(_bookings(randomness, integration, known, changes))
    return changes


async def merge_facts_locked(
    uow: UnitOfWork, randomness: Randomness, told: Sequence[OwnerFacts]
) -> Sequence[Owner]:
    """Settle facts of several integrations, which the caller's transaction holds, in two steps.

    An integration comes once.

    Returns:
        Those of them whose bookings changed.

    """
    if not told:
        return []
    named = {owner.id: sorted(related_uris(facts)) for owner, facts in told}
    known = await uow.bookings.related_of(named)
    erased = await find_erased(uow, [each for one in told for each in one.facts])
    changed: list[Owner] = []
    bookings: list[Booking] = []
    for owner, facts in told:
        stored = known[owner.id]
        observed = without_erased(facts, erased, stored)
        changes = settle({uri: each.facts for uri, each in stored.items()}, observed)
        bookings += _bookings(randomness, owner, stored, changes)
        if changes:
            changed.append(owner)
    await uow.bookings.put(bookings)
    return changed


def _bookings(
    randomness: Randomness,
    owner: Owner | Integration,
    stored: Mapping[str, Booking],
    changes: Sequence[Change],
) -> list[Booking]:
    return [
        Booking(
            id=_id_of(stored.get(change.facts.invitee_uri), randomness),
            user_id=owner.user_id,
            integration_id=owner.id,
            facts=change.facts,
        )
        for change in changes
    ]


def _id_of(booking: Booking | None, randomness: Randomness) -> BookingId:
    return BookingId(randomness.new_id()) if booking is None else booking.id
