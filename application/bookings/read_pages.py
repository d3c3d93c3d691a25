"""Read the pages of a user's events for a comparison, until they end or their time is over.

Calendly's list may not end, a page may be unreadable, and a Free plan's limit may be used up after
a page or two. None of these may delay the integrations that come later.
"""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Final

from msgspec.structs import replace

from application.ports.calendly.bookings import CalendlyBookings, FactsPage
from application.ports.clock import Clock
from application.tokens.calendly_session import CalendlySession
from domain.availability import Window
from domain.errors import CalendlyProtocolError, CalendlyThrottled
from domain.integration import Integration
from domain.reads import as_read

MAX_WAITS: Final = 5  # per page; after these the next run continues
LONGEST_WAIT: Final = 65.0  # seconds; Calendly counts by the minute
MOST_PAGES: Final = 2_000  # of one run, with 25 events each
MOST_STANDING: Final = 10
"""Pages in a row that lead no further in time: each is empty or repeats what was read."""

MOST_PASSED_OVER: Final = 5
STEP: Final = timedelta(days=1)
"""How far a page that cannot be read is passed over; its events are sorted by start."""


class OutOfTimeError(Exception):
    """The budget of this integration is used up; the next run goes on."""


class ReadPages:
    """One reading of one integration's events.

    Attributes:
        reached: the start time (UTC) up to which everything is read, or passed over.
        passed_over: how many pages could not be read.

    """

    def __init__(
        self,
        *,
        session: CalendlySession,
        calendly: CalendlyBookings,
        clock: Clock,
        integration: Integration,
        span: Window,
        ends_at: datetime,
    ) -> None:
        self._session = session
        self._calendly = calendly
        self._clock = clock
        self._integration = integration
        self._span = span
        self._ends_at = ends_at
        self.reached = span.start
        self.passed_over = 0

    async def pages(self) -> AsyncIterator[FactsPage]:
        """Return page after page.

        Raises:
            OutOfTimeError: the time is over before the pages are.
            CalendlyProtocolError: the pages do not end.
            The CalendlyError family: a page is not available now.

        """
        token: str | None = None
        used: set[str] = set()
        standing = 0
        while True:
            # A place that does not move would be the same in each run.
            if self.reached > self._span.start:
                self._check_time()
            try:
                page = await self._page(token)
            except CalendlyProtocolError as error:
                if not self._passes_over(error):
                    raise
                token = None
                continue
            yield page
            before, self.reached = self.reached, max(self.reached, page.last_start or self.reached)
            token = page.next_page
            if token is None:
                return
            standing = 0 if self.reached > before else standing + 1
            if token in used or standing >= MOST_STANDING or len(used) >= MOST_PAGES:
                raise CalendlyProtocolError(
                    "GET /scheduled_events: Calendly's pages do not end.", unreadable=True
                )
            used.add(token)

    def _passes_over(self, error: CalendlyProtocolError) -> bool:
        """Go on a little later in time after a page that cannot be read, if there is a later."""
        after = self.reached + STEP
        if not error.unreadable or self.passed_over >= MOST_PASSED_OVER or after >= self._span.end:
            return False
        self.passed_over += 1
        self._span = Window(start=after, end=self._span.end)
        self.reached = after
        return True

    async def _page(self, token: str | None) -> FactsPage:
        user_uri, span = self._integration.account.user_uri, self._span
        for _ in range(MAX_WAITS):
            read_at = self._clock.now()
            try:
                page = await self._session.call(
                    self._integration.id,
                    lambda access: self._calendly.page(access, user_uri, span, token),
                )
            except CalendlyThrottled as error:
                # A Free plan's limit for a minute is used up after a page or two. A run that
                # stopped here would begin again at page one and never reach the end.
                throttled = error
                wait = min(error.retry_after or LONGEST_WAIT, LONGEST_WAIT)
                self._check_time(timedelta(seconds=wait))
                await asyncio.sleep(wait)
            else:
                facts = tuple(as_read(each, read_at) for each in page.facts)
                return replace(page, facts=facts)
        raise throttled

    def _check_time(self, wait: timedelta = timedelta()) -> None:
        if self._clock.now() + wait >= self._ends_at:
            raise OutOfTimeError
