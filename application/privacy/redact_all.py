"""Make everything that is stored anonymous where the record of erasures names the person."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from application.ports.storage.erasures import Erasure
from application.ports.storage.unit_of_work import Storage
from application.privacy.redact_bookings import RedactBookings
from application.privacy.redact_webhooks import BODIES_AT_ONCE, RedactBodies
from domain.errors import StorageUnavailable
from domain.ids import BookingId, WebhookEventId

QUIET_WITHIN = timedelta(seconds=60)
LOOK_AGAIN = timedelta(milliseconds=100)


class Redaction(msgspec.Struct, frozen=True):
    """The counts: bookings made anonymous, webhooks rewritten, webhooks that did not open."""

    bookings: int
    webhook_events: int
    unreadable: int

    def finished(self, erasure: Erasure) -> Erasure:
        """Return the record of an erasure with these counts, which make it a finished one."""
        return msgspec.structs.replace(
            erasure,
            bookings=self.bookings,
            webhook_events=self.webhook_events,
            unreadable=self.unreadable,
        )


@dataclass(frozen=True, kw_only=True)
class RedactAll:
    storage: Storage
    redact_bookings: RedactBookings
    redact_bodies: RedactBodies

    async def run(self) -> Redaction:
        """Wait for transactions that may not have seen the record, then read all rows.

        Raises:
            StorageUnavailable: a transaction stays open, or the store is down; repeat it.
            SealedValueUnreadable: the key of the record cannot be opened.

        """
        await self._wait_for_earlier_work()
        bookings = await self._bookings()
        events, unreadable = await self._bodies()
        return Redaction(bookings, events, unreadable)

    async def _wait_for_earlier_work(self) -> None:
        """Wait for transactions that may have looked before the record was there."""
        async with self.storage() as uow:
            began: datetime = await uow.erasures.moment()
        for _ in range(QUIET_WITHIN // LOOK_AGAIN):
            async with self.storage() as uow:
                if await uow.erasures.is_quiet_since(began):
                    return
            await asyncio.sleep(LOOK_AGAIN.total_seconds())
        raise StorageUnavailable(
            "A transaction has been open for longer than a minute, and may hold what is to be"
            " erased. Repeat the erasure once it has ended.",
            retry_after=QUIET_WITHIN.total_seconds(),
        )

    async def _bookings(self) -> int:
        forgotten = 0
        after: BookingId | None = None
        while True:
            page = await self.redact_bookings.redact_page(after)
            forgotten, after = forgotten + page.forgotten, page.after
            if after is None:
                return forgotten

    async def _bodies(self) -> tuple[int, int]:
        rewritten, unreadable = 0, 0
        after: WebhookEventId | None = None
        while True:
            page = await self.redact_bodies.redact_page(after, BODIES_AT_ONCE)
            rewritten, unreadable = rewritten + page.rewritten, unreadable + page.unreadable
            after = page.after
            if after is None:
                return rewritten, unreadable
