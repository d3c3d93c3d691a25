"""Compare one integration's bookings with Calendly's and repair the difference."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

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
from domain.integration import Integration

# Calendly cannot say what changed since a moment, so windows of start time are swept.
SWEEP = (timedelta(days=7), timedelta(days=60))
PATIENCE = 5  # waits a page, before the sweep is left to its next run
LONGEST_WAIT = 65.0  # seconds; Calendly counts by the minute
IN_FLIGHT = timedelta(minutes=5)  # until then its webhook may still be on its way
BACKFILL = (timedelta(days=30), timedelta(days=180))


class ReconcileBookings:
    """The same settling rule as for webhooks; a repair means that a webhook was lost."""

    def __init__(
        self,
        *,
        storage: Storage,
        session: CalendlySession,
        calendly: CalendlyBookings,
        clock: Clock,
        entropy: Entropy,
        signals: Signals,
    ) -> None:
        self._storage = storage
        self._session = session
        self._calendly = calendly
        self._clock = clock
        self._entropy = entropy
        self._signals = signals

    async def __call__(self, integration_id: IntegrationId, *, backfill: bool) -> int:
        """Sweep a window of start times, events of both statuses.

        Args:
            integration_id: whose bookings.
            backfill: the first, wider sweep after connecting, whose finds are no repairs.

        Returns:
            How many bookings were wrong for lack of a webhook, or for a back-fill, how many were
            written. What happened within IN_FLIGHT is settled, but nothing was lost yet.

        """
        integration = await self._read(integration_id)
        before, after = BACKFILL if backfill else SWEEP
        now = self._clock.now()
        span = Window(start=now - before, end=now + after)
        changed = 0
        async for page in self._pages(integration, span):
            changed += await self._settle(integration, page, backfill=backfill)
        async with self._storage() as uow:
            await uow.integrations.put_reconciled(integration_id, now)
            await uow.commit()
        if changed and not backfill:
            self._signals.bookings_repaired(integration_id, changed)
        return changed

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
            await uow.commit()
        return sum(backfill or each.happened_at <= now - IN_FLIGHT for each in repairs)

    async def _read(self, integration_id: IntegrationId) -> Integration:
        async with self._storage() as uow:
            integration = await uow.integrations.get(integration_id)
        if integration is None:
            raise IntegrationNotFound("No Calendly account is connected.")
        return integration
