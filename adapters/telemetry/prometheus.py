"""Telemetry: each flow's events are counted and, where an operator needs the case, logged.

Ids go to the log, never into a metric.
"""

import re
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

import structlog
from prometheus_client import Counter

from adapters.system.clock_sync import WARNING
from adapters.telemetry.metrics import CIRCUIT_STATES, Counters, code_label, kind_label
from adapters.temporal.contract import SCHEDULED
from adapters.temporal.schedules import ScheduleFaults
from domain.errors import ClientRefused
from domain.ids import IntegrationId, WebhookEventId

_log = structlog.stdlib.get_logger("slotkeeper.telemetry")

_ODD = re.compile(r"[^A-Za-z0-9_.-]")
_LONGEST_KIND = 64


class _End(NamedTuple):
    """The log events of a flow's end, and the results that count as success."""

    succeeded: str
    failed: str
    successes: frozenset[str]


_TOKEN_REFRESH = _End(
    "token_refreshed", "token_refresh_failed", frozenset({"refreshed", "lost_race"})
)
_WEBHOOK_RECEIVED = _End("webhook_received", "webhook_refused", frozenset({"stored", "duplicate"}))
_WEBHOOK_APPLIED = _End(
    "webhook_applied", "webhook_not_applied", frozenset({"applied", "ignored"})
)
_AVAILABILITY_SYNC = _End("availability_synced", "availability_sync_failed", frozenset({"synced"}))
_BOOKING_COMMAND = _End(
    "booking_command_completed", "booking_command_failed", frozenset({"done", "repeated"})
)
_SUBSCRIPTION_CHECK = _End(
    "subscription_checked", "subscription_check_failed", frozenset({"kept", "created", "replaced"})
)


class PrometheusTelemetry:
    def __init__(self, counters: Counters) -> None:
        self._counters = counters
        self._reads: dict[tuple[str, str], Counter] = {}

    def render(self) -> bytes:
        return self._counters.render()

    def clock_compared(self, skew: timedelta) -> None:
        """Show the skew of this host's clock; warn from five seconds on."""
        self._counters.clock_skew.set(skew.total_seconds())
        if abs(skew) >= WARNING:
            _log.warning("clock_skewed", skew_seconds=round(skew.total_seconds(), 1))

    def schedules_compared(self, faults: ScheduleFaults) -> None:
        """Show for each expected schedule whether it fails to start its job; warn if one does."""
        failing = {*faults.missing, *faults.different}
        for schedule in SCHEDULED:
            self._counters.schedules_missing.labels(schedule).set(schedule in failing)
        if failing:
            _log.warning("schedules_missing", missing=faults.missing, different=faults.different)

    def token_refresh(self, integration_id: IntegrationId, result: str) -> None:
        self._counters.token_refreshes.labels(code_label(result)).inc()
        _report(_TOKEN_REFRESH, result, integration_id=integration_id)

    def foreign_grants(self, count: int) -> None:
        self._counters.token_refreshes.labels(ClientRefused.code).inc(count)
        _log.error("foreign_grants_passed_over", count=count)

    def reauth_required(self, integration_id: IntegrationId, cause: str) -> None:
        self._counters.reauths_required.labels(code_label(cause)).inc()
        _log.warning("reauth_required", integration_id=integration_id, cause=cause)

    def integration_connected(self, integration_id: IntegrationId, *, recovered: bool) -> None:
        self._counters.connects.labels(str(recovered).lower()).inc()
        _log.info("integration_connected", integration_id=integration_id, recovered=recovered)

    def connect_confirmation(self, result: str) -> None:
        self._counters.connect_confirmations.labels(code_label(result)).inc()
        if result == "another_user":
            _log.warning("connect_confirmed_by_another_user")

    def integration_recovered(self, integration_id: IntegrationId, cause: str) -> None:
        _log.info("integration_recovered", integration_id=integration_id, cause=cause)

    def integration_replaced(self, integration_id: IntegrationId, by: IntegrationId) -> None:
        _log.info("integration_replaced", integration_id=integration_id, replaced_by=by)

    def integration_disconnected(self, integration_id: IntegrationId, result: str) -> None:
        self._counters.disconnects.labels(code_label(result)).inc()
        if result == "erased_unrevoked":
            _log.warning("integration_erased_unrevoked", integration_id=integration_id)
        else:
            _log.info("integration_disconnected", integration_id=integration_id, result=result)

    def webhook_received(self, result: str) -> None:
        self._counters.webhooks_received.labels(code_label(result)).inc()
        _report(_WEBHOOK_RECEIVED, result)

    def webhook_applied(self, kind: str, result: str) -> None:
        kind = kind_label(kind)
        self._counters.webhooks_applied.labels(kind, code_label(result)).inc()
        _report(_WEBHOOK_APPLIED, result, kind=kind)

    def webhook_apply_failed(self, event_id: WebhookEventId, error: str, location: str) -> None:
        _log.warning(
            "webhook_apply_failed", event_id=event_id, error_type=error, location=location
        )

    def unknown_webhook_stored(self, event_id: WebhookEventId, kind: str) -> None:
        _log.info("unknown_webhook_stored", event_id=event_id, kind=_plain(kind))

    def job_row_failed(self, error: str, location: str) -> None:
        _log.error("job_row_failed", error_type=error, location=location)

    def invitee_erased(
        self, erasure_id: UUID, bookings: int, webhook_events: int, unreadable: int
    ) -> None:
        self._counters.erasures.labels("unreadable" if unreadable else "finished").inc()
        report = _log.warning if unreadable else _log.info
        report(
            "invitee_erased",
            erasure_id=erasure_id,
            bookings=bookings,
            webhook_events=webhook_events,
            unreadable=unreadable,
        )

    def erasure_unfinished(self, erasure_id: UUID) -> None:
        self._counters.erasures.labels("unfinished").inc()
        _log.warning("erasure_interrupted", erasure_id=erasure_id)

    def user_erased(self, erasure_id: UUID, integrations: int, started: int) -> None:
        report = _log.info if started == integrations else _log.warning
        report("user_erased", erasure_id=erasure_id, integrations=integrations, started=started)

    def availability_read(self, kind: str, freshness: str) -> None:
        # The counter itself is cached: a lookup by its labels costs each read more than the
        # counting does. Kinds and freshnesses are few.
        counter = self._reads.get((kind, freshness))
        if counter is None:
            labels = code_label(kind), code_label(freshness)
            counter = self._reads[kind, freshness] = self._counters.availability_reads.labels(
                *labels
            )
        counter.inc()

    def availability_wait(self, result: str) -> None:
        self._counters.availability_waits.labels(code_label(result)).inc()

    def availability_fetched(self, kind: str, result: str) -> None:
        self._counters.availability_fetches.labels(code_label(kind), code_label(result)).inc()

    def availability_sync(self, integration_id: IntegrationId, result: str) -> None:
        self._counters.availability_syncs.labels(code_label(result)).inc()
        _report(_AVAILABILITY_SYNC, result, integration_id=integration_id)

    def booking_command(self, operation: str, result: str) -> None:
        self._counters.booking_commands.labels(code_label(operation), code_label(result)).inc()
        _report(_BOOKING_COMMAND, result, operation=operation)

    def subscription_checked(self, integration_id: IntegrationId, result: str) -> None:
        self._counters.subscription_checks.labels(code_label(result)).inc()
        _report(_SUBSCRIPTION_CHECK, result, integration_id=integration_id)

    def subscription_replaced(
        self, integration_id: IntegrationId, reason: str, since: datetime
    ) -> None:
        self._counters.subscriptions_replaced.labels(code_label(reason)).inc()
        _log.warning(
            "subscription_replaced",
            integration_id=integration_id,
            reason=reason,
            lost_since=since.isoformat(),
        )

    def circuit_seen(self, surface: str, state: str) -> None:
        self._counters.circuit_state.labels(code_label(surface)).set(CIRCUIT_STATES[state])

    def circuit_opened(self, surface: str, failures: int, until: datetime) -> None:
        self._counters.circuit_trips.labels(code_label(surface)).inc()
        _log.warning(
            "circuit_opened", surface=surface, failures=failures, open_until=until.isoformat()
        )

    def circuit_closed(self, surface: str) -> None:
        _log.info("circuit_closed", surface=surface)

    def availability_skipped(self, integration_id: IntegrationId, kind: str, count: int) -> None:
        self._counters.availability_skipped.labels(code_label(kind)).inc(count)
        _log.warning(
            "unreadable_availability_skipped",
            integration_id=integration_id,
            kind=kind,
            error_code="calendly_protocol_error",
            count=count,
        )

    def reconciliation_stopped(self, integration_id: IntegrationId, error_code: str) -> None:
        self._counters.reconciliations_stopped.labels(code_label(error_code)).inc()
        _log.warning(
            "reconciliation_stopped", integration_id=integration_id, error_code=error_code
        )

    def oldest_reconciled(self, at: datetime | None) -> None:
        self._counters.oldest_reconciled.set(0 if at is None else at.timestamp())

    def bookings_unreadable(self, integration_id: IntegrationId, count: int) -> None:
        if count > 0:
            self._counters.bookings_unreadable.inc(count)
            _log.warning(
                "unreadable_bookings_skipped",
                integration_id=integration_id,
                error_code="calendly_protocol_error",
                count=count,
            )

    def bookings_repaired(self, integration_id: IntegrationId, count: int) -> None:
        if count > 0:
            self._counters.bookings_repaired.inc(count)
            _log.warning(
                "bookings_repaired",
                integration_id=integration_id,
                error_code="webhooks_lost",
                count=count,
            )


def _plain(kind: str) -> str:
    """Return a kind that cannot forge a log line, fill it up, or carry an address."""
    return _ODD.sub("?", kind[:_LONGEST_KIND])


def _report(end: _End, result: str, **fields: object) -> None:
    """Log the end of a flow: at debug if it succeeded, else as a warning with the error code."""
    if result in end.successes:
        _log.debug(end.succeeded, result=result, **fields)
    else:
        _log.warning(end.failed, error_code=code_label(result), **fields)
