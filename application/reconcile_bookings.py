"""Compare one integration's bookings with Calendly's and repair the difference."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

from msgspec.structs import replace

from application.calendly_session import CalendlySession
from application.ports.calendly_bookings import CalendlyBookings, FactsPage
from application.ports.clock import Clock
from application.ports.entropy import Entropy
from application.ports.signals import Signals
from application.ports.unit_of_work import Storage
from application.settle_bookings import settle_bookings
from domain.availability import Window
from domain.booking import unmarked
from domain.errors import CalendlyProtocolError, CalendlyThrottled, IntegrationNotFound
from domain.ids import IntegrationId
from domain.integration import Gap, Integration
from domain.reconciliation import Change
from domain.sweep_window import Reaches, window

PATIENCE = 5  # waits a page, before the sweep is left to its next run
LONGEST_WAIT = 65.0  # seconds; Calendly counts by the minute
IN_FLIGHT = timedelta(minutes=5)  # until then its webhook may still be on its way


class ReconcileBookings:
    """The same settling rule as for webhooks; a repair means that a webhook was lost.

    What a page repaired is counted in the page's own transaction, so the count is exact however
    the sweep ends.
    """

    def __init__(
        self,
        *,
        storage: Storage,
        session: CalendlySession,
        calendly: CalendlyBookings,
        clock: Clock,
        entropy: Entropy,
        signals: Signals,
        reaches: Reaches,
    ) -> None:
        self._storage = storage
        self._session = session
        self._calendly = calendly
        self._clock = clock
        self._entropy = entropy
        self._signals = signals
        self._reaches = reaches

    async def __call__(
        self, integration_id: IntegrationId, *, backfill: bool, wide: bool = False
    ) -> int:
        """Sweep a window of start times, events of both statuses.

        The window grows by what an open gap in the deliveries asks for, and the gap is closed.

        Args:
            integration_id: whose bookings.
            backfill: the first, wide sweep after connecting, whose finds are no repairs.
            wide: look as far as a back-fill does.

        Returns:
            How many bookings were wrong for lack of a webhook, or for a back-fill, how many were
            written. What happened within IN_FLIGHT is settled, but nothing was lost yet.

        """
        integration = await self._read(integration_id)
        now = self._clock.now()
        span = window(now, self._reaches, integration.gap, wide=backfill or wide)
        changed = unreadable = 0
        try:
            async for page in self._pages(integration, span):
                unreadable += page.unreadable
                changed += await self._settle(integration, page, backfill=backfill)
        finally:
            self._tell(integration_id, 0 if backfill else changed, unreadable)
        async with self._storage() as uow:
            await uow.integrations.put_reconciled(integration_id, now, closes=integration.gap)
            await uow.commit()
        return changed

    def _tell(self, integration_id: IntegrationId, repaired: int, unreadable: int) -> None:
        if repaired:
            self._signals.bookings_repaired(integration_id, repaired)
        if unreadable:
            self._signals.bookings_unreadable(integration_id, unreadable)

    async def _pages(self, integration: Integration, span: Window) -> AsyncIterator[FactsPage]:
        seen: set[str] = set()
        page = await self._page(integration, span, None)
        yield page
        while page.next_page is not None:
            if page.next_page in seen:
                raise CalendlyProtocolError("GET /scheduled_events: Calendly's pages do not end.")
            seen.add(page.next_page)
            page = await self._page(integration, span, page.next_page)
            yield page

    async def _page(self, integration: Integration, span: Window, token: str | None) -> FactsPage:
        user_uri = integration.account.user_uri
        for _ in range(PATIENCE):
            asked_at = self._clock.now()
            try:
                page = await self._session.call(
                    integration.id,
                    lambda access: self._calendly.page(access, user_uri, span, token),
                )
            except CalendlyThrottled as error:
                # A Free plan's minute is spent after a page or two: a sweep that gave up here
                # would begin again at page one and never come further.
                throttled = error
                await asyncio.sleep(min(error.retry_after or LONGEST_WAIT, LONGEST_WAIT))
            else:
                facts = tuple(unmarked(each, asked_at) for each in page.facts)
                return replace(page, facts=facts)
        raise throttled

    async def _settle(self, integration: Integration, page: FactsPage, *, backfill: bool) -> int:
        if not page.facts:
            return 0
        async with self._storage() as uow:
            changes = await settle_bookings(uow, self._entropy, integration, page.facts)
            now = self._clock.now()
            repairs = [each for each in changes if backfill or each.is_repair]
            if repairs:
                await uow.availability.invalidate([integration.user_id], now, by="reconciliation")
            lost = sum(_was_lost(each, now, integration.gap) for each in repairs)
            if lost and not backfill:
                await uow.integrations.add_repairs(integration.id, lost, now)
            await uow.commit()
        return len(repairs) if backfill else lost

    async def _read(self, integration_id: IntegrationId) -> Integration:
        async with self._storage() as uow:
            integration = await uow.integrations.get(integration_id)
        if integration is None:
            raise IntegrationNotFound("No Calendly account is connected.")
        return integration


def _was_lost(repair: Change, now: datetime, gap: Gap | None) -> bool:
    """Whether its webhook will not come any more: it is late, or it fell into a gap."""
    if repair.happened_at <= now - IN_FLIGHT:
        return True
    return gap is not None and repair.happened_at <= gap.until
