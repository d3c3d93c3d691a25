"""Bookings that Calendly reassigned to another host: they leave one host and appear at the other.

Calendly sends no webhook for it; the new host's reconciliation reads it. Both owners' booking facts
are locked, by ascending id, before either is merged. So no transaction ever shows the booking twice
or not at all.
"""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from application.bookings.merge_facts import OwnerFacts
from application.ports.storage.unit_of_work import UnitOfWork
from domain.booking import Facts, is_hosted_by
from domain.ids import IntegrationId
from domain.integration import Integration


class Reassigned(NamedTuple):
    """The facts to merge, and the bookings that colleagues host no longer.

    Args:
        facts_by_owner: the facts for the integration, and for each colleague who still shows a
            booking that the colleague no longer hosts.
        invitees: the URIs of all bookings that colleagues once had and no longer host.

    """

    facts_by_owner: Sequence[OwnerFacts]
    invitees: Collection[str]


async def reassigned(
    uow: UnitOfWork, integration: Integration, facts: Sequence[Facts]
) -> Reassigned:
    """Find the colleagues that have to lose a booking, and lock them and the integration.

    Args:
        uow: the transaction that will merge the facts.
        integration: the integration whose events were read.
        facts: the current facts of these events at Calendly.

    """
    uris = sorted({each.invitee_uri for each in facts})
    holders = await uow.bookings.held_elsewhere(integration.id, uris)
    by_owner: dict[IntegrationId, list[Facts]] = {integration.id: list(facts)}
    invitees: set[str] = set()
    for each in facts:
        for owner, hosts in holders.get(each.invitee_uri, ()):
            if is_hosted_by(each, owner.account_uri):
                continue
            invitees.add(each.invitee_uri)
            if hosts:
                by_owner.setdefault(owner.id, []).append(each)
    locked = await uow.bookings.lock(sorted(by_owner), [])
    return Reassigned([OwnerFacts(owner, by_owner[owner.id]) for owner in locked], invitees)


async def facts_for_all_hosts(
    uow: UnitOfWork, integration: Integration, facts: Sequence[Facts]
) -> list[OwnerFacts]:
    """Return the facts for the integration and for each host of its events; lock all of them."""
    hosts = {uri for each in facts for uri in each.details.host_uris}
    locked = await uow.bookings.lock([integration.id], sorted(hosts))
    return [
        OwnerFacts(
            owner,
            [
                each
                for each in facts
                if owner.id == integration.id or owner.account_uri in each.details.host_uris
            ],
        )
        for owner in locked
    ]
