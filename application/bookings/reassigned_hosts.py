"""Bookings that Calendly gave to another host: they leave the one and appear under the other.

Calendly tells of it by no webhook; it shows in what the new host's comparison reads. The rule not
to break: both owners' facts are held, by ascending id, before either's are settled, so that no
moment shows the booking twice or not at all.
"""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from application.bookings.merge_facts import OwnerFacts
from application.ports.storage.bookings import Owner
from application.ports.storage.unit_of_work import UnitOfWork
from domain.booking import Facts, is_hosted_by
from domain.ids import IntegrationId
from domain.integration import Integration


class Reassigned(NamedTuple):
    """What colleagues have, or had, who are hosts no longer.

    Args:
        facts_by_owner: what they have to be told of what is shown to them still.
        invitees: the URIs of all of it, also of what was taken from them before.

    """

    facts_by_owner: Sequence[OwnerFacts]
    invitees: Collection[str]


async def reassigned(
    uow: UnitOfWork, integration: Integration, facts: Sequence[Facts]
) -> Reassigned:
    """Return what was given away by colleagues.

    Theirs and the integration's facts are held when there is anything to tell.

    Args:
        uow: the transaction in which all of it will be settled.
        integration: whose events were read.
        facts: what Calendly says of them now.

    """
    holders = await uow.bookings.held_elsewhere(
        integration.id, sorted({each.invitee_uri for each in facts})
    )
    facts_by_owner: dict[IntegrationId, OwnerFacts] = {}
    invitees: set[str] = set()
    for each in facts:
        for owner, hosts in holders.get(each.invitee_uri, ()):
            if is_hosted_by(each, owner.account_uri):
                continue
            invitees.add(each.invitee_uri)
            if hosts:
                facts_by_owner.setdefault(owner.id, OwnerFacts(owner, [])).facts.append(each)
    locked: Sequence[Owner] = []
    if facts_by_owner:
        locked = await uow.bookings.lock(sorted({integration.id, *facts_by_owner}), [])
    return Reassigned(
        [facts_by_owner[owner.id] for owner in locked if owner.id in facts_by_owner],
        invitees,
    )


async def facts_for_all_hosts(
    uow: UnitOfWork, integration: Integration, facts: Sequence[Facts]
) -> list[OwnerFacts]:
    """Return what the integration, and whoever hosts its events now, have to be told.

    The facts of all of them are held.
    """
    hosts = {uri for each in facts for uri in each.details.host_uris}
    locked = await uow.bookings.lock([integration.id], sorted(hosts))
    return [
        OwnerFacts(owner, [each for each in facts if _concerns(each, owner, integration)])
        for owner in locked
    ]


def _concerns(facts: Facts, owner: Owner, integration: Integration) -> bool:
    return owner.id == integration.id or owner.account_uri in facts.details.host_uris
