"""Make the bookings of erased invitees anonymous.

Matched by the record of erasures. So an erasure whose process died can be completed although no
process has the address any more.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import msgspec
from msgspec.structs import replace

from application.ports.storage.unit_of_work import Storage, UnitOfWork
from application.privacy.filter_erased import find_erased
from domain.booking import Booking
from domain.erasure import anonymous, is_covered, normalised
from domain.ids import BookingId

BOOKINGS_AT_ONCE = 5_000  # addresses of a page; those that are found are few


class Forgotten(msgspec.Struct, frozen=True):
    """The result of a page.

    Args:
        examined: bookings that were looked at.
        forgotten: those of an erased invitee.
        after: where the next page begins; None at the end.

    """

    examined: int
    forgotten: int
    after: BookingId | None


@dataclass(frozen=True, kw_only=True)
class RedactBookings:
    storage: Storage

    async def redact_page(self, after: BookingId | None) -> Forgotten:
        """Look through a page, behind a position that the page before said; None: the first."""
        async with self.storage() as uow:
            page = await uow.personal_data.seats(after, BOOKINGS_AT_ONCE)
            emails = {each.id: normalised(each.email) for each in page.seats}
            erased = await uow.erasures.known(frozenset(emails.values()))
            theirs = {booking_id for booking_id, email in emails.items() if email in erased}
            forgotten = await _forget(uow, theirs)
            await uow.commit()
        return Forgotten(examined=len(page.seats), forgotten=forgotten, after=page.after)


async def _forget(uow: UnitOfWork, theirs: Collection[BookingId]) -> int:
    if not theirs:
        return 0
    covered = await _covered(uow, await uow.personal_data.lock_bookings(theirs))
    await uow.personal_data.forget_bookings(
        [replace(each, facts=anonymous(each.facts)) for each in covered]
    )
    return len(covered)


async def _covered(uow: UnitOfWork, held: Sequence[Booking]) -> list[Booking]:
    """Return those that an erasure covers, as they are now: they may have changed since the read."""
    erased = await find_erased(uow, [each.facts for each in held])
    moments = (erased.get(normalised(each.facts.details.invitee.email)) for each in held)
    return [
        booking
        for booking, erased_at in zip(held, moments, strict=True)
        if erased_at is not None and is_covered(booking.facts, erased_at, booking.stored_at)
    ]
