"""Write what facts say into the store of bookings: the one way a booking ever changes."""

from collections.abc import Sequence

from application.ports.entropy import Entropy
from application.ports.unit_of_work import UnitOfWork
from domain.booking import Booking, Facts
from domain.ids import BookingId
from domain.integration import Integration
from domain.reconciliation import Change, related_uris, settle


async def settle_bookings(
    uow: UnitOfWork, entropy: Entropy, integration: Integration, facts: Sequence[Facts]
) -> list[Change]:
    """Settle facts against the integration's bookings, inside the caller's transaction.

    Returns:
        What changed, by ascending invitee URI; nothing when everything was known.

    """
    known = await uow.bookings.related(integration.id, sorted(related_uris(facts)))
    changes = settle({uri: each.facts for uri, each in known.items()}, facts)
    await uow.bookings.put(
        [
            _booking(entropy, integration, known.get(each.facts.invitee_uri), each)
            for each in changes
        ]
    )
    return changes


def _booking(
    entropy: Entropy, integration: Integration, stored: Booking | None, change: Change
) -> Booking:
    return Booking(
        id=stored.id if stored else BookingId(entropy.new_id()),
        user_id=integration.user_id,
        integration_id=integration.id,
        facts=change.facts,
    )
