"""Fetch the invitee of a webhook whose payload cannot be read.

The webhook says which invitee changed, and Calendly's API says how. So a payload of an unknown
shape costs neither the booking nor its time.
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta

from msgspec.structs import replace

from application.ports.calendly.bookings import CalendlyBookings
from application.ports.clock import Clock
from application.ports.storage.webhook_events import WebhookEvent
from application.tokens.calendly_session import CalendlySession
from domain.errors import CalendlyUnavailable, Kind, SlotkeeperError
from domain.ids import IntegrationId
from domain.reads import as_read
from domain.webhook import ParsedWebhook

FETCHES_FOR = timedelta(seconds=40)
"""How long the fetches of one page begin; its events are claimed for two minutes."""

ONE_FETCH = 20.0  # seconds; refreshing a token is shielded from this deadline
PASSING = frozenset({Kind.TRANSIENT, Kind.THROTTLED})


@dataclass(frozen=True, kw_only=True)
class FetchUnreadable:
    """Reads at Calendly what a webhook does not tell."""

    session: CalendlySession
    calendly: CalendlyBookings
    clock: Clock

    async def run(
        self, event: WebhookEvent, webhook: ParsedWebhook, page_began_at: datetime
    ) -> ParsedWebhook | None:
        """Return the webhook with the invitee's current facts, or None where that cannot help.

        Args:
            event: as it is stored. Without an integration no access token is known.
            webhook: the parsed body, which is unreadable.
            page_began_at: when the page of events began (UTC).

        Raises:
            TimeoutError: this page has no time left for it.
            SlotkeeperError: of a temporary kind; the same fetch may succeed later. A fetch that
                takes longer than ONE_FETCH is a CalendlyUnavailable.

        """
        integration_id, uri = event.integration_id, webhook.invitee_uri
        if integration_id is None or uri is None:
            return None
        now = self.clock.now()
        if now - page_began_at >= FETCHES_FOR:
            raise TimeoutError
        try:
            async with asyncio.timeout(ONE_FETCH):
                return await self._fetch(integration_id, uri, webhook, now)
        except TimeoutError:
            # With a code and a pause, so that the next page begins with other events.
            raise CalendlyUnavailable(
                f"The invitee was not fetched within {ONE_FETCH:.0f} seconds."
            ) from None
        except SlotkeeperError as error:
            if error.kind in PASSING and not getattr(error, "unreadable", False):
                raise
            return None

    async def _fetch(
        self, integration_id: IntegrationId, uri: str, webhook: ParsedWebhook, now: datetime
    ) -> ParsedWebhook:
        facts = await self.session.call(
            integration_id, lambda access: self.calendly.invitee(access, uri)
        )
        return replace(
            webhook,
            subject=uri,
            facts=as_read(facts, now),
            account_uris=facts.details.host_uris,
            unreadable=None,
        )
