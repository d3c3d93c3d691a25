"""Bookings that Calendly gave to another host: they leave the one and appear under the other.

Calendly tells of it by no webhook; it shows in what the new host's comparison reads. The rule not
to break: both owners' facts are held, by ascending id, before either's are settled, so that no
moment shows the booking twice or not at all.
"""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from application.bookings.merge_facts import Told
from application.ports.storage.bookings import Owner
from application.ports.storage.unit_of_work import UnitOfWork
from domain.booking import Facts, is_hosted_by
from domain.ids import IntegrationId
from domain.integration import Integration


class Given(NamedTuple):
    """What colleagues have, or had, who are hosts no longer.

    Args:
        told: what they have to be told of what is shown to them still.
        invitees: the URIs of all of it, also of what was taken from them before.

    """

    told: Sequence[Told]
    invitees: Collection[str]


async def given_away(uow: UnitOfWork, integration: Integration, facts: Sequence[Facts]) -> Given:
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
    told: dict[IntegrationId, Told] = {}
    invitees: set[str] = set()
    for each in facts:
        for owner, hosts in holders.get(each.invitee_uri, ()):
            if is_hosted_by(each, owner.account_uri):
                continue
            invitees.add(each.invitee_uri)
            if hosts:
                told.setdefault(owner.id, Told(owner, [])).facts.append(each)
    held: Sequence[Owner] = []
    if told:
        held = await uow.bookings.hold(sorted({integration.id, *told}), [])
    return Given([told[owner.id] for owner in held if owner.id in told], invitees)


async def of_all_hosts(
    uow: UnitOfWork, integration: Integration, facts: Sequence[Facts]
) -> list[Told]:
    """Return what the integration, and whoever hosts its events now, have to be told.

    The facts of all of them are held.
    """
    hosts = {uri for each in facts for uri in each.details.host_uris}
    held = await uow.bookings.hold([integration.id], sorted(hosts))
    return [
        Told(owner, [each for each in facts if _concerns(each, owner, integration)])
        for owner in held
    ]


def _concerns(facts: Facts, owner: Owner, integration: Integration) -> bool:
    return owner.id == integration.id or owner.account_uri in facts.details.host_uris
