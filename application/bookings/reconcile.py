"""Reconcile one integration's bookings: read them at Calendly and repair the difference."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import msgspec
from msgspec.structs import replace

from application.bookings.count_missed_webhooks import count_missed_webhooks
from application.bookings.merge_facts import merge_facts
from application.bookings.reassigned_hosts import reassigned
from application.bookings.reconcile_missing import ReconcileMissing
from application.ports.calendly.bookings import CalendlyBookings, FactsPage
from application.ports.clock import Clock
from application.ports.randomness import Randomness
from application.ports.storage.bookings import Owner
from application.ports.storage.unit_of_work import Storage
from application.ports.telemetry import Telemetry
from application.tokens.calendly_session import CalendlySession
from application.tokens.connected import read_connected
from domain.availability import Window
from domain.booking import Facts
from domain.errors import CalendlyProtocolError, CalendlyThrottled
from domain.ids import IntegrationId
from domain.integration import Integration
from domain.reads import as_read
from domain.reconciliation import Change
from domain.sweep_window import Reaches, window

MAX_WAITS = 5  # per page; after these the next run continues
LONGEST_WAIT = 65.0  # seconds; Calendly counts by the minute

REPAIRED = "repaired"
UNCHANGED = "unchanged"
BACKFILLED = "backfilled"
UNSUBSCRIBED = "unsubscribed"


class Comparison(msgspec.Struct, frozen=True):
    """The result of reconciling one integration's bookings.

    Args:
        result: `repaired` if webhooks were lost, `backfilled` for the first time, `unchanged` if
            nothing changed. `unsubscribed` if there are changes, but no webhook subscription could
            be created so far.
        count: the number of bookings concerned.

    """

    result: str
    count: int


class ReconcileBookings:
    """Merges facts by the same rule as webhooks; a repair means that a webhook was lost.

    Each page's repairs are counted in the page's own transaction, so the count is exact even if a
    later page fails.
    """

    def __init__(
        self,
        *,
        storage: Storage,
        session: CalendlySession,
        calendly: CalendlyBookings,
        clock: Clock,
        randomness: Randomness,
        telemetry: Telemetry,
        reaches: Reaches,
    ) -> None:
        self._storage = storage
        self._session = session
        self._calendly = calendly
        self._clock = clock
        self._randomness = randomness
        self._telemetry = telemetry
        self._reaches = reaches
        self._missing = ReconcileMissing(
            storage=storage, session=session, calendly=calendly, clock=clock, randomness=randomness
        )

    async def __call__(
        self, integration_id: IntegrationId, *, backfill: bool, wide: bool = False
    ) -> int:
        """Return the count of `compare`."""
        return (await self.compare(integration_id, backfill=backfill, wide=wide)).count

    async def compare(
        self, integration_id: IntegrationId, *, backfill: bool, wide: bool = False
    ) -> Comparison:
        """Read a window of start times, active and canceled events, and merge the facts.

        An open gap in the deliveries widens the window, and is then closed.

        Args:
            integration_id: the owner of the bookings.
            backfill: the first, wide run after connecting; its changes are not repairs.
            wide: use the window of a back-fill.

        Returns:
            The result. Its count leaves out changes before the first subscription, changes of the
            last minutes, and changes that a stored webhook reports.

        """
        integration = await read_connected(self._storage, integration_id)
        result = _result(integration, backfill=backfill)
        now = self._clock.now()
        span = window(now, self._reaches, integration.gap, wide=backfill or wide)
        changed = unreadable = 0
        seen: set[str] = set()
        try:
            async for page in self._pages(integration, span):
                unreadable += page.unreadable
                seen.update(each.invitee_uri for each in page.facts)
                changed += await self._merge(integration, page.facts, result)
            await self._missing.reconcile(integration, span, seen, now)
        finally:
            self._report(integration_id, changed if result == REPAIRED else 0, unreadable)
        async with self._storage() as uow:
            await uow.integrations.put_reconciled(integration_id, now, closes=integration.gap)
            await uow.commit()
        return Comparison(result if changed or backfill else UNCHANGED, changed)

    def _report(self, integration_id: IntegrationId, repaired: int, unreadable: int) -> None:
        if repaired:
            self._telemetry.bookings_repaired(integration_id, repaired)
        if unreadable:
            self._telemetry.bookings_unreadable(integration_id, unreadable)

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
        for _ in range(MAX_WAITS):
            read_at = self._clock.now()
            try:
                page = await self._session.call(
                    integration.id,
                    lambda access: self._calendly.page(access, user_uri, span, token),
                )
            except CalendlyThrottled as error:
                # A Free plan's limit for a minute is used up after a page or two. A run that
                # stopped here would begin again at page one and never reach the end.
                throttled = error
                await asyncio.sleep(min(error.retry_after or LONGEST_WAIT, LONGEST_WAIT))
            else:
                facts = tuple(as_read(each, read_at) for each in page.facts)
                return replace(page, facts=facts)
        raise throttled

    async def _merge(self, integration: Integration, facts: Sequence[Facts], result: str) -> int:
        if not facts:
            return 0
        async with self._storage() as uow:
            facts_by_owner, reassigned_invitees = await reassigned(uow, integration, facts)
            changed = dict(await merge_facts(uow, self._randomness, facts_by_owner))
            now = self._clock.now()
            changes = changed.pop(Owner.of(integration), [])
            is_backfill = result == BACKFILLED
            counted = [each for each in changes if is_backfill or each.missed]
            users = {colleague.user_id for colleague in changed}
            if counted or any(_moved(each) for each in changes):
                users.add(integration.user_id)
            if users:
                await uow.availability.invalidate(sorted(users), now, by="reconciliation")
            count = len(counted)
            if result == REPAIRED:
                count = await count_missed_webhooks(
                    uow, integration, counted, now, reassigned=reassigned_invitees
                )
                if count:
                    await uow.integrations.add_repairs(integration.id, count, now)
            await uow.commit()
        return count


def _result(integration: Integration, *, backfill: bool) -> str:
    if backfill:
        return BACKFILLED
    return UNSUBSCRIBED if integration.subscribed_since is None else REPAIRED


def _moved(change: Change) -> bool:
    """Whether a known booking has other times or other hosts than before."""
    return change.before is not None and _occupied(change.before) != _occupied(change.facts)


def _occupied(facts: Facts) -> tuple[object, ...]:
    return facts.details.start, facts.details.end, facts.details.host_uris
