"""Telemetry that is counted and background work that is awaited, for tests to read."""

import asyncio
from collections import Counter
from collections.abc import Coroutine
from contextlib import suppress
from contextvars import Context
from datetime import datetime
from typing import Any
from uuid import UUID

from domain.errors import SlotkeeperError
from domain.ids import IntegrationId, WebhookEventId


class RecordedTelemetry:
    """Counts: `seen` counts each method with its labels."""

    def __init__(self) -> None:
        self.seen: Counter[tuple[object, ...]] = Counter()
        self.places: dict[WebhookEventId, str] = {}
        self.circuit_breakers: dict[str, str] = {}
        self.oldest: datetime | None = None

    def token_refresh(self, integration_id: IntegrationId, result: str) -> None:  # noqa: ARG002
        self.seen["token_refresh", result] += 1

    def foreign_grants(self, count: int) -> None:
        self.seen["foreign_grants", ""] += count

    def reauth_required(self, integration_id: IntegrationId, cause: str) -> None:  # noqa: ARG002
        self.seen["reauth_required", cause] += 1

    def integration_connected(self, integration_id: IntegrationId, *, recovered: bool) -> None:  # noqa: ARG002
        self.seen["integration_connected", recovered] += 1

    def connect_confirmation(self, result: str) -> None:
        self.seen["connect_confirmation", result] += 1

    def integration_recovered(self, integration_id: IntegrationId, cause: str) -> None:  # noqa: ARG002
        self.seen["integration_recovered", cause] += 1

    def integration_replaced(self, integration_id: IntegrationId, by: IntegrationId) -> None:
        self.seen["integration_replaced", integration_id, by] += 1

    def integration_disconnected(self, integration_id: IntegrationId, result: str) -> None:  # noqa: ARG002
        self.seen["integration_disconnected", result] += 1

    def webhook_received(self, result: str) -> None:
        self.seen["webhook_received", result] += 1

    def webhook_applied(self, kind: str, result: str) -> None:
        self.seen["webhook_applied", kind, result] += 1

    def job_row_failed(self, error: str, location: str) -> None:  # noqa: ARG002
        self.seen["job_row_failed", error] += 1

    def webhook_apply_failed(self, event_id: WebhookEventId, error: str, location: str) -> None:
        self.seen["webhook_apply_failed", error] += 1
        self.places[event_id] = location

    def unknown_webhook_stored(self, event_id: WebhookEventId, kind: str) -> None:  # noqa: ARG002
        self.seen["unknown_webhook_stored", kind] += 1

    def invitee_erased(
        self, erasure_id: UUID, bookings: int, webhook_events: int, unreadable: int
    ) -> None:
        del erasure_id
        self.seen["invitee_erased", bookings, webhook_events, unreadable] += 1

    def user_erased(self, erasure_id: UUID, integrations: int, started: int) -> None:
        self.seen["user_erased", erasure_id, integrations, started] += 1

    def erasure_unfinished(self, erasure_id: UUID) -> None:
        self.seen["erasure_unfinished", erasure_id] += 1

    def availability_read(self, kind: str, freshness: str) -> None:
        self.seen["availability_read", kind, freshness] += 1

    def availability_wait(self, result: str) -> None:
        self.seen["availability_wait", result] += 1

    def availability_fetched(self, kind: str, result: str) -> None:
        self.seen["availability_fetched", kind, result] += 1

    def availability_sync(self, integration_id: IntegrationId, result: str) -> None:  # noqa: ARG002
        self.seen["availability_sync", result] += 1

    def booking_command(self, operation: str, result: str) -> None:
        self.seen["booking_command", operation, result] += 1

    def subscription_checked(self, integration_id: IntegrationId, result: str) -> None:  # noqa: ARG002
        self.seen["subscription_checked", result] += 1

    def subscription_replaced(
        self,
        integration_id: IntegrationId,  # noqa: ARG002
        reason: str,
        since: datetime,
    ) -> None:
        self.seen["subscription_replaced", reason, since] += 1

    def availability_skipped(self, integration_id: IntegrationId, kind: str, count: int) -> None:  # noqa: ARG002
        self.seen["availability_skipped", kind] += count

    def reconciliation_stopped(self, integration_id: IntegrationId, error_code: str) -> None:  # noqa: ARG002
        self.seen["reconciliation_stopped", error_code] += 1

    def oldest_reconciled(self, at: datetime | None) -> None:
        self.oldest = at

    def bookings_unreadable(self, integration_id: IntegrationId, count: int) -> None:  # noqa: ARG002
        self.seen[("bookings_unreadable",)] += count

    def bookings_repaired(self, integration_id: IntegrationId, count: int) -> None:  # noqa: ARG002
        self.seen[("bookings_repaired",)] += count

    def circuit_seen(self, surface: str, state: str) -> None:
        self.circuit_breakers[surface] = state

    def circuit_opened(self, surface: str, failures: int, until: datetime) -> None:  # noqa: ARG002
        self.seen["circuit_opened", surface] += 1

    def circuit_closed(self, surface: str) -> None:
        self.seen["circuit_closed", surface] += 1


class AwaitedBackground:
    """Implements the Background port; `names` lists what was started, `settle` waits for it."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self._tasks: list[asyncio.Task[None]] = []

    def run(
        self,
        name: str,
        work: Coroutine[Any, Any, object],
        *,
        vital: bool = False,  # noqa: ARG002 - nothing is refused here
    ) -> None:
        """Start the work in a context of its own, as it outlives its caller's transaction."""
        self.names.append(name)
        loop = asyncio.get_running_loop()
        self._tasks.append(loop.create_task(_carry_out(work), context=Context()))

    async def settle(self) -> None:
        """Wait until everything that was started has ended."""
        await asyncio.gather(*self._tasks)


async def _carry_out(work: Coroutine[Any, Any, object]) -> None:
    with suppress(SlotkeeperError):
        await work
