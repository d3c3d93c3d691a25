"""What operators watch: one method a flow, each counted and, where it matters, logged.

Labels are closed sets of codes; an integration's id goes to the log, never into a metric.
"""

from datetime import datetime
from typing import Protocol
from uuid import UUID

from domain.ids import IntegrationId, WebhookEventId


class Telemetry(Protocol):
    """Counts and logs what the flows did. Never raises."""

    def token_refresh(self, integration_id: IntegrationId, outcome: str) -> None:
        """A refresh ended: `refreshed`, `lost_race` or an error code."""
        ...

    def reauth_required(self, integration_id: IntegrationId, cause: str) -> None:
        """An integration needs a person."""
        ...

    def connected(self, integration_id: IntegrationId, *, recovered: bool) -> None:
        """A user connected; `recovered` when the integration had needed a person."""
        ...

    def recovered(self, integration_id: IntegrationId, cause: str) -> None:
        """An integration that had needed a person for this cause is alive again."""
        ...

    def replaced(self, integration_id: IntegrationId, by: IntegrationId) -> None:
        """An integration makes way for another Calendly account of its user."""
        ...

    def disconnected(self, integration_id: IntegrationId, result: str) -> None:
        """An integration was `erased`, or `erased_unrevoked`: Calendly was not told all of it."""
        ...

    def webhook_received(self, result: str) -> None:
        """A delivery was `stored`, `duplicate`, or refused for the named reason."""
        ...

    def webhook_applied(self, kind: str, result: str) -> None:
        """A stored event was `applied`, `ignored`, `dead_lettered`, or failed with the code."""
        ...

    def unexpected(self, error: str, where: str) -> None:
        """A row of a job met a bug: which class of error, and where it arose; no data."""
        ...

    def webhook_unapplied(self, event_id: WebhookEventId, error: str, where: str) -> None:
        """An event could not be applied: which class of error, and where it arose; no data."""
        ...

    def webhook_unknown(self, event_id: WebhookEventId, kind: str) -> None:
        """An event was stored whose kind we do not know; `kind` is whatever Calendly sent."""
        ...

    def invitee_erased(
        self, erasure_id: UUID, bookings: int, webhook_events: int, unreadable: int
    ) -> None:
        """An invitee was erased: how many rows of each kind, and how many could not be read."""
        ...

    def erasure_unfinished(self, erasure_id: UUID) -> None:
        """An erasure was cut off after its record, or was found to have been, a while ago."""
        ...

    def availability_read(self, part: str, freshness: str) -> None:
        """A reader was served from the cache."""
        ...

    def availability_wait(self, result: str) -> None:
        """A reader waited: what he wanted was `fetched` or `not_fetched`, or is `pending` still."""
        ...

    def availability_part(self, part: str, result: str) -> None:
        """Calendly was asked for a part, which was `fetched`, `unchanged`, or failed: the code."""
        ...

    def availability_sync(self, integration_id: IntegrationId, result: str) -> None:
        """A user's availability was fetched: `synced`, `partly`, or the error code."""
        ...

    def booking_command(self, operation: str, result: str) -> None:
        """An acting request ended: `done`, `repeated`, or the error code."""
        ...

    def subscription(self, integration_id: IntegrationId, result: str) -> None:
        """A subscription was `kept`, `kept_failing`, `created`, `replaced`, or failed: the code."""
        ...

    def subscription_replaced(
        self, integration_id: IntegrationId, trouble: str, since: datetime
    ) -> None:
        """A new subscription took the place of one in trouble.

        The trouble: it was `missing`, `disabled` or `moved`, or lacked some `kinds`. Deliveries
        may be missing since then (UTC).
        """
        ...

    def circuit_seen(self, surface: str, state: str) -> None:
        """A surface's breaker was read: `closed`, `half_open` or `open`."""
        ...

    def circuit_opened(self, surface: str, failures: int, until: datetime) -> None:
        """A surface's breaker was opened by us; it lets a probe out at `until` (UTC)."""
        ...

    def circuit_closed(self, surface: str) -> None:
        """A surface's breaker was closed by us: its probe was answered."""
        ...

    def bookings_unreadable(self, integration_id: IntegrationId, count: int) -> None:
        """A comparison passed over this many events or invitees that it could not read."""
        ...

    def bookings_repaired(self, integration_id: IntegrationId, count: int) -> None:
        """Reconciliation found this many bookings wrong: above zero means webhooks were lost."""
        ...
