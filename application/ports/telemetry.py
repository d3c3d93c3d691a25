"""Counts and log events for operators, one method a flow.

Labels are closed sets of codes; an integration's id goes to the log, never into a metric.
"""

from datetime import datetime
from typing import Protocol
from uuid import UUID

from domain.ids import IntegrationId, WebhookEventId


class Telemetry(Protocol):
    """Counts and logs what the flows did. Never raises."""

    def token_refresh(self, integration_id: IntegrationId, result: str) -> None:
        """A refresh ended: `refreshed`, `lost_race` or an error code."""
        ...

    def foreign_grants(self, count: int) -> None:
        """A run of the refresh job passed over this many due grants of another client."""
        ...

    def reauth_required(self, integration_id: IntegrationId, cause: str) -> None:
        """An integration needs a person."""
        ...

    def integration_connected(self, integration_id: IntegrationId, *, recovered: bool) -> None:
        """A user connected; `recovered`: the integration had needed a person."""
        ...

    def connect_confirmation(self, result: str) -> None:
        """A connect flow was `confirmed` or `repeated`, `failed` afterwards, or was refused.

        The reason of a refusal: `unknown_handle`, or `another_user`, whose session brought the handle.
        """
        ...

    def integration_recovered(self, integration_id: IntegrationId, cause: str) -> None:
        """An integration that had needed a person for this cause is active again."""
        ...

    def integration_replaced(self, integration_id: IntegrationId, by: IntegrationId) -> None:
        """A user connected another Calendly account, which replaces this integration."""
        ...

    def integration_disconnected(self, integration_id: IntegrationId, result: str) -> None:
        """An integration was `erased`, or `erased_unrevoked`: Calendly may still have the grant."""
        ...

    def webhook_received(self, result: str) -> None:
        """A delivery was `stored`, `duplicate`, or refused for this reason."""
        ...

    def webhook_applied(self, kind: str, result: str) -> None:
        """A stored event was `applied`, `ignored`, `dead_lettered`, or failed with this code."""
        ...

    def webhook_apply_failed(self, event_id: WebhookEventId, error: str, location: str) -> None:
        """An event could not be applied: the class of the error and its location; no data."""
        ...

    def unknown_webhook_stored(self, event_id: WebhookEventId, kind: str) -> None:
        """An event of an unknown kind was stored; `kind` is any text that Calendly sent."""
        ...

    def job_row_failed(self, error: str, location: str) -> None:
        """A bug failed a row of a job: the class of the error and its location; no data."""
        ...

    def invitee_erased(
        self, erasure_id: UUID, bookings: int, webhook_events: int, unreadable: int
    ) -> None:
        """An invitee was erased: rows of each kind, and webhook events that did not open."""
        ...

    def erasure_unfinished(self, erasure_id: UUID) -> None:
        """An erasure was interrupted after its record was stored, now or earlier."""
        ...

    def user_erased(self, erasure_id: UUID, integrations: int, started: int) -> None:
        """A user was erased: integrations that are being disconnected, and jobs that run."""
        ...

    def availability_read(self, kind: str, freshness: str) -> None:
        """A read was served from the cache."""
        ...

    def availability_wait(self, result: str) -> None:
        """A read waited for a fetch: `fetched`, `not_fetched`, or `pending` at the deadline."""
        ...

    def availability_fetched(self, kind: str, result: str) -> None:
        """A cache entry was requested from Calendly: `fetched`, `unchanged` or an error code."""
        ...

    def availability_sync(self, integration_id: IntegrationId, result: str) -> None:
        """A user's availability was fetched: `synced`, `partly`, or the error code."""
        ...

    def booking_command(self, operation: str, result: str) -> None:
        """A booking command ended: `done`, `repeated`, or the error code."""
        ...

    def subscription_checked(self, integration_id: IntegrationId, result: str) -> None:
        """A subscription was `kept`, `kept_failing`, `created`, `replaced`, or failed: the code."""
        ...

    def subscription_replaced(
        self, integration_id: IntegrationId, reason: str, since: datetime
    ) -> None:
        """A new subscription replaced the known one.

        The reason: it was `missing`, `disabled`, `moved` or `rekeyed`, or lacked some `kinds`.
        Deliveries may be missing since then (UTC).
        """
        ...

    def circuit_seen(self, surface: str, state: str) -> None:
        """A surface's breaker was read: `closed`, `half_open` or `open`."""
        ...

    def circuit_opened(self, surface: str, failures: int, until: datetime) -> None:
        """A surface's breaker opened here; it allows a probe at `until` (UTC)."""
        ...

    def circuit_closed(self, surface: str) -> None:
        """A surface's breaker closed here: its probe succeeded."""
        ...

    def availability_skipped(self, integration_id: IntegrationId, kind: str, count: int) -> None:
        """A fetch of this kind of entry skipped this many records that it could not read."""
        ...

    def reconciliation_stopped(self, integration_id: IntegrationId, error_code: str) -> None:
        """A comparison of bookings did not end, for this reason."""
        ...

    def oldest_reconciled(self, at: datetime | None) -> None:
        """Of all active integrations the longest not compared is so since then (UTC)."""
        ...

    def bookings_unreadable(self, integration_id: IntegrationId, count: int) -> None:
        """A reconciliation skipped this many events or invitees that it could not read."""
        ...

    def bookings_repaired(self, integration_id: IntegrationId, count: int) -> None:
        """A reconciliation corrected this many bookings: above zero means webhooks were lost."""
        ...
