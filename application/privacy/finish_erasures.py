"""Bring erasures to their end whose process died between their steps.

The record alone identifies the person, so the address is not needed again. The progress is in the
cursor, as ids and counts, and a repeated page changes nothing twice.
"""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import msgspec
from msgspec.structs import replace

from application.ports.clock import Clock
from application.ports.storage.erasures import Erasure
from application.ports.storage.unit_of_work import Storage
from application.ports.telemetry import Telemetry
from application.privacy.redact_all import Redaction
from application.privacy.redact_bookings import RedactBookings
from application.privacy.redact_webhooks import RedactBodies
from domain.ids import BookingId, WebhookEventId

UNDER_WAY = timedelta(hours=1)
"""An erasure that was begun within this may still have its process."""


class Place(msgspec.Struct, frozen=True, omit_defaults=True):
    """How far an erasure is.

    Args:
        erasure: which one.
        in_bodies: whether its bookings are done.
        after: the last booking or webhook that was looked at.
        bookings: bookings made anonymous so far; what was done before the process died is not in.
        webhook_events: webhooks rewritten so far, in the same way.
        unreadable: webhooks that did not open.

    """

    erasure: UUID
    in_bodies: bool = False
    after: UUID | None = None
    bookings: int = 0
    webhook_events: int = 0
    unreadable: int = 0


class Step(msgspec.Struct, frozen=True):
    """The result of a page; with `more`, `place` None means that another erasure may be unfinished.

    Args:
        examined: rows that were looked at.
        forgotten: bookings that were made anonymous.
        rewritten: webhooks that were rewritten.
        finished: erasures that came to their end.
        place: how far the one at hand is.
        more: whether there is another page.

    """

    examined: int = 0
    forgotten: int = 0
    rewritten: int = 0
    finished: int = 0
    place: Place | None = None
    more: bool = True


@dataclass(frozen=True, kw_only=True)
class FinishErasures:
    """One page a call, one erasure after the other, the oldest first."""

    storage: Storage
    redact_bookings: RedactBookings
    redact_bodies: RedactBodies
    clock: Clock
    telemetry: Telemetry

    async def __call__(self, place: Place | None, limit: int) -> Step:
        """Work one page.

        Args:
            place: None to look for an erasure, or what the page before said.
            limit: webhooks a page.

        Raises:
            SealedValueUnreadable: the key of the record cannot be opened, so none can be matched.

        """
        if place is None:
            return await self._look()
        return await (
            self._body_page(place, limit) if place.in_bodies else self._booking_page(place)
        )

    async def _look(self) -> Step:
        async with self.storage() as uow:
            found = await uow.erasures.unfinished(self.clock.now() - UNDER_WAY)
            if found is None:
                return Step(more=False)
            # Transactions that read before the record existed must have ended, or their rows are missed.
            quiet = await uow.erasures.is_quiet_since(found.erased_at + UNDER_WAY / 2)
        self.telemetry.erasure_unfinished(found.id)
        return Step(place=Place(erasure=found.id)) if quiet else Step(more=False)

    async def _booking_page(self, place: Place) -> Step:
        page = await self.redact_bookings.redact_page(
            None if place.after is None else BookingId(place.after)
        )
        reached = replace(
            place,
            after=page.after,
            in_bodies=page.after is None,
            bookings=place.bookings + page.forgotten,
        )
        return Step(examined=page.examined, forgotten=page.forgotten, place=reached)

    async def _body_page(self, place: Place, limit: int) -> Step:
        page = await self.redact_bodies.redact_page(
            None if place.after is None else WebhookEventId(place.after), limit
        )
        reached = replace(
            place,
            after=page.after,
            webhook_events=place.webhook_events + page.rewritten,
            unreadable=place.unreadable + page.unreadable,
        )
        step = Step(examined=page.examined, rewritten=page.rewritten, place=reached)
        if page.after is not None:
            return step
        return replace(step, finished=await self._finish(reached), place=None)

    async def _finish(self, place: Place) -> int:
        async with self.storage() as uow:
            found: Erasure | None = await uow.erasures.find(place.erasure)
            if found is None or found.bookings is not None:
                return 0
            redaction = Redaction(place.bookings, place.webhook_events, place.unreadable)
            await uow.erasures.finish(redaction.finished(found))
            await uow.commit()
        self.telemetry.invitee_erased(
            place.erasure, place.bookings, place.webhook_events, place.unreadable
        )
        return 1
