"""Reconcile one integration's bookings: read them at Calendly and repair the difference."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

import msgspec

from application.bookings.count_missed_webhooks import count_missed_webhooks
from application.bookings.merge_facts import merge_facts
from application.bookings.read_pages import OutOfTimeError, ReadPages
from application.bookings.reassigned_hosts import reassigned
from application.bookings.reconcile_missing import ReconcileMissing
from application.ports.calendly.bookings import CalendlyBookings
from application.ports.clock import Clock
from application.ports.randomness import Randomness
from application.ports.storage.bookings import Owner
from application.ports.storage.unit_of_work import Storage
from application.ports.telemetry import Telemetry
from application.tokens.calendly_session import CalendlySession
from application.tokens.connected import read_connected
from domain.availability import Window
from domain.booking import Facts
from domain.errors import CalendlyProtocolError, SlotkeeperError, StorageUnavailable
from domain.ids import IntegrationId
from domain.integration import Integration
from domain.reconciliation import Change
from domain.sweep_window import Reaches, window

REPAIRED = "repaired"
UNCHANGED = "unchanged"
BACKFILLED = "backfilled"
UNSUBSCRIBED = "unsubscribed"
UNFINISHED = "unfinished"

BUDGET: Final = timedelta(minutes=2)
"""Of one comparison. A page of a hundred ends within its attempt of half an hour."""


class Comparison(msgspec.Struct, frozen=True):
    """The result of reconciling one integration's bookings.

    Args:
        result: `repaired` if webhooks were lost, `backfilled` for the first time, `unchanged` if
            nothing changed. `unsubscribed` if there are changes, but no webhook subscription could
            be created so far. `unfinished` if its time was over first: the next run goes on.
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
        self,
        integration_id: IntegrationId,
        *,
        backfill: bool,
        wide: bool = False,
        began_at: datetime | None = None,
        budget: timedelta = BUDGET,
    ) -> Comparison:
        """Read a window of start times, active and canceled events, and merge the facts.

        An open gap in the deliveries widens the window, and is then closed. A comparison that does
        not end leaves its reason on the integration, and the start time at which the next one goes
        on.

        Args:
            integration_id: the owner of the bookings.
            backfill: the first, wide run after connecting; its changes are not repairs.
            wide: use the window of a back-fill.
            began_at: when the walk over all integrations began (UTC), by any host's clock.
            budget: how long it may take, so that one integration delays no other one.

        Returns:
            The result. Its count leaves out changes before the first subscription, changes of the
            last minutes, and changes that a stored webhook reports.

        """
        integration = await read_connected(self._storage, integration_id)
        result = _result(integration, backfill=backfill)
        now = self._clock.now()
        whole = window(now, self._reaches, integration.gap, wide=backfill or wide)
        span = _rest(whole, integration.reconcile_from)
        reading = ReadPages(
            session=self._session,
            calendly=self._calendly,
            clock=self._clock,
            integration=integration,
            span=span,
            ends_at=now + budget,
        )
        changed = unreadable = 0
        seen: set[str] = set()
        try:
            async for page in reading.pages():
                unreadable += page.unreadable
                seen.update(each.invitee_uri for each in page.facts)
                changed += await self._merge(integration, page.facts, result)
        except OutOfTimeError:
            compared = Window(span.start, reading.reached)
            await self._reconcile_missing(integration, reading, compared, seen, now)
            goes_on_at = reading.reached if reading.reached > whole.start else None
            await self._stop(integration, UNFINISHED, goes_on_at)
            return Comparison(UNFINISHED, changed)
        except SlotkeeperError as error:
            # Begin again where nothing was read, and after pages that do not end: the place may
            # be the reason.
            is_endless = isinstance(error, CalendlyProtocolError)
            begins_again = is_endless or reading.reached == span.start
            await self._stop(integration, error.code, None if begins_again else reading.reached)
            raise
        finally:
            unreadable += reading.passed_over
            self._report(integration_id, changed if result == REPAIRED else 0, unreadable)
        await self._reconcile_missing(integration, reading, span, seen, now)
        passed_over = CalendlyProtocolError.code if reading.passed_over else None
        async with self._storage() as uow:
            # Not before the walk, which would take it again.
            at = now if began_at is None else max(now, began_at)
            await uow.integrations.put_reconciled(
                integration_id, at, closes=integration.gap, error=passed_over
            )
            await uow.commit()
        return Comparison(result if changed or backfill else UNCHANGED, changed)

    async def _reconcile_missing(
        self,
        integration: Integration,
        reading: ReadPages,
        span: Window,
        seen: set[str],
        now: datetime,
    ) -> None:
        # Absence proves nothing where a page was passed over.
        if reading.passed_over == 0 and span.start < span.end:
            await self._missing.reconcile(integration, span, seen, now)

    async def _stop(
        self, integration: Integration, error: str, goes_on_at: datetime | None
    ) -> None:
        self._telemetry.reconciliation_stopped(integration.id, error)
        with suppress(StorageUnavailable):
            async with self._storage() as uow:
                await uow.integrations.put_unreconciled(
                    integration.id, error, goes_on_at, integration.gap
                )
                await uow.commit()

    def _report(self, integration_id: IntegrationId, repaired: int, unreadable: int) -> None:
        if repaired:
            self._telemetry.bookings_repaired(integration_id, repaired)
        if unreadable:
            self._telemetry.bookings_unreadable(integration_id, unreadable)

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


def _rest(span: Window, reached: datetime | None) -> Window:
    """Return the part of the window that an earlier run has not compared; all after its end."""
    if reached is None or not span.start < reached < span.end:
        return span
    return Window(start=reached, end=span.end)


def _moved(change: Change) -> bool:
    """Whether a known booking has other times or other hosts than before."""
    return change.before is not None and _occupied(change.before) != _occupied(change.facts)


def _occupied(facts: Facts) -> tuple[object, ...]:
    return facts.details.start, facts.details.end, facts.details.host_uris
