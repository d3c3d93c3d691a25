"""Keep erased invitees erased: their data never enters the bookings again, from any source.

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
        SealedValueUnreadable: the key of the record cannot be opened, so none can be matched.

    """
    emails = {normalised(facts.details.invitee.email) for facts in observed} - {""}
    return await uow.erasures.known(emails) if emails else {}
