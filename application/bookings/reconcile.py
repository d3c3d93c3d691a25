"""Compare one integration's bookings with Calendly's and repair the difference."""

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

MAX_WAITS = 5  # waits a page, before the sweep is left to its next run
LONGEST_WAIT = 65.0  # seconds; Calendly counts by the minute

REPAIRED = "repaired"
UNCHANGED = "unchanged"
BACKFILLED = "backfilled"
UNSUBSCRIBED = "unsubscribed"


class Comparison(msgspec.Struct, frozen=True):
    """What comparing one integration's bookings came to.

    Args:
        result: `repaired` where webhooks were lost, `backfilled` for the first time,
            `unsubscribed` where news came by comparing alone because no webhook subscription
            could be made so far, `unchanged` for none of it.
        count: how many bookings that is about.

    """

    result: str
    count: int


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
        self._unlisted = ReconcileMissing(
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
        """Sweep a window of start times, events of both statuses.

        The window grows by what an open gap in the deliveries asks for, and the gap is closed.

        Args:
            integration_id: whose bookings.
            backfill: the first, wide sweep after connecting, whose finds are no repairs.
            wide: look as far as a back-fill does.

        Returns:
            What it came to. What is settled without having been lost does not count: what
            happened before the first subscription or just now, and what a stored webhook tells.

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
                changed += await self._settle(integration, page.facts, result)
            await self._unlisted(integration, span, seen, now)
        finally:
            self._tell(integration_id, changed if result == REPAIRED else 0, unreadable)
        async with self._storage() as uow:
            await uow.integrations.put_reconciled(integration_id, now, closes=integration.gap)
            await uow.commit()
        return Comparison(result if changed or backfill else UNCHANGED, changed)

    def _tell(self, integration_id: IntegrationId, repaired: int, unreadable: int) -> None:
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
                facts = tuple(as_read(each, asked_at) for each in page.facts)
                return replace(page, facts=facts)
        raise throttled

    async def _settle(self, integration: Integration, facts: Sequence[Facts], result: str) -> int:
        if not facts:
            return 0
        async with self._storage() as uow:
            facts_by_owner, reassigned_invitees = await reassigned(uow, integration, facts)
            changed = dict(await merge_facts(uow, self._randomness, facts_by_owner))
            now = self._clock.now()
            changes = changed.pop(Owner.of(integration), [])
            found = changes if result == BACKFILLED else [each for each in changes if each.missed]
            users = {colleague.user_id for colleague in changed}
            if found or any(_moved(each) for each in changes):
                users.add(integration.user_id)
            if users:
                await uow.availability.invalidate(sorted(users), now, by="reconciliation")
            count = len(found)
            if result == REPAIRED:
                count = await count_missed_webhooks(
                    uow, integration, found, now, reassigned=reassigned_invitees
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
    """Whether a known booking takes other times, or those of other hosts, than before."""
    return change.before is not None and _taken(change.before) != _taken(change.facts)


def _taken(facts: Facts) -> tuple[object, ...]:
    return facts.details.start, facts.details.end, facts.details.host_uris
