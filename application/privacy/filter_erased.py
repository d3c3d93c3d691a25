"""Keep erased invitees erased: nothing of them enters the bookings again, whoever tells of it.

Called with everything that was observed, before it is merged with what is stored, inside the
transaction that stores it.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from application.ports.storage.unit_of_work import UnitOfWork
from domain.booking import Facts
from domain.erasure import normalised


async def find_erased(uow: UnitOfWork, observed: Sequence[Facts]) -> Mapping[str, datetime]:
    """Return which of the invitees were erased, and when, by normalised address.

    Raises:
        SealedValueUnreadable: nobody can know at the moment.

    """
    emails = {normalised(facts.details.invitee.email) for facts in observed} - {""}
    return await uow.erasures.known(emails) if emails else {}
