"""Signals: each flow's events counted and, where an operator wants the case, logged.

Ids go to the log, never into a metric.
"""

import re
from datetime import datetime
from uuid import UUID

import structlog
from prometheus_client import Counter

from adapters.telemetry.known_labels import begin_at_zero
from adapters.telemetry.metrics import CIRCUIT_STATES, Counters, code_label, kind_label
from domain.ids import IntegrationId, WebhookEventId

_log = structlog.stdlib.get_logger("slotkeeper.signals")

_ODD = re.compile(r"[^A-Za-z0-9_.-]")
_LONGEST_KIND = 64

_REFRESHED = frozenset({"refreshed", "lost_race"})
_RECEIVED = frozenset({"stored", "duplicate"})
_APPLIED = frozenset({"applied", "ignored"})
_SYNCED = frozenset({"synced"})
_COMMANDED = frozenset({"done", "repeated"})
_SUBSCRIBED = frozenset({"kept", "created", "replaced"})


class PrometheusTelemetry:
    def __init__(self, counters: Counters) -> None:
        self._counters = counters
        self._reads: dict[tuple[str, str], Counter] = {}
        begin_at_zero(counters)

    def render(self) -> bytes:
        return self._counters.render()

    def token_refresh(self, integration_id: IntegrationId, outcome: str) -> None:
        self._counters.token_refresh.labels(code_label(outcome)).inc()
        _tell("token_refresh", outcome, _REFRESHED, integration_id=integration_id)

    def reauth_required(self, integration_id: IntegrationId, cause: str) -> None:
        self._counters.reauth_required.labels(code_label(cause)).inc()
        _log.warning("reauth_required", integration_id=integration_id, cause=cause)

    def connected(self, integration_id: IntegrationId, *, recovered: bool) -> None:
        self._counters.connects.labels(str(recovered).lower()).inc()
        _log.info("connected", integration_id=integration_id, recovered=recovered)

    def recovered(self, integration_id: IntegrationId, cause: str) -> None:
        _log.info("recovered", integration_id=integration_id, cause=cause)

    def replaced(self, integration_id: IntegrationId, by: IntegrationId) -> None:
        _log.info("replaced", integration_id=integration_id, replaced_by=by)

    def disconnected(self, integration_id: IntegrationId, result: str) -> None:
        self._counters.disconnects.labels(code_label(result)).inc()
        if result == "erased_unrevoked":
            _log.warning("erased_unrevoked", integration_id=integration_id)
        else:
            _log.info("disconnected", integration_id=integration_id, result=result)

    def webhook_received(self, result: str) -> None:
        self._counters.webhooks_received.labels(code_label(result)).inc()
        _tell("webhook_received", result, _RECEIVED)

    def webhook_applied(self, kind: str, result: str) -> None:
        kind = kind_label(kind)
        self._counters.webhooks_applied.labels(kind, code_label(result)).inc()
        _tell("webhook_applied", result, _APPLIED, kind=kind)

    def unexpected(self, error: str, where: str) -> None:
        _log.error("row_failed_unexpectedly", error_type=error, where=where)

    def webhook_unapplied(self, event_id: WebhookEventId, error: str, where: str) -> None:
        _log.warning("webhook_unapplied", event_id=event_id, error_type=error, where=where)

    def webhook_unknown(self, event_id: WebhookEventId, kind: str) -> None:
        _log.info("webhook_unknown_kind", event_id=event_id, kind=_plain(kind))

    def invitee_erased(
        self, erasure_id: UUID, bookings: int, webhook_events: int, unreadable: int
    ) -> None:
        self._counters.erasures.labels("unreadable" if unreadable else "finished").inc()
        tell = _log.warning if unreadable else _log.info
        tell(
            "invitee_erased",
            erasure_id=erasure_id,
            bookings=bookings,
            webhook_events=webhook_events,
            unreadable=unreadable,
        )

    def erasure_unfinished(self, erasure_id: UUID) -> None:
        self._counters.erasures.labels("unfinished").inc()
        _log.warning("erasure_unfinished", erasure_id=erasure_id)

    def availability_read(self, part: str, freshness: str) -> None:
        # The counter itself is kept: finding it by its labels would cost each read more than the
        # counting does. Parts and freshnesses are few.
        counter = self._reads.get((part, freshness))
        if counter is None:
            labels = code_label(part), code_label(freshness)
            counter = self._reads[part, freshness] = self._counters.availability_reads.labels(
                *labels
            )
        counter.inc()

    def availability_wait(self, result: str) -> None:
        self._counters.availability_waits.labels(code_label(result)).inc()

    def availability_part(self, part: str, result: str) -> None:
        self._counters.availability_parts.labels(code_label(part), code_label(result)).inc()

    def availability_sync(self, integration_id: IntegrationId, result: str) -> None:
        self._counters.availability_syncs.labels(code_label(result)).inc()
        _tell("availability_sync", result, _SYNCED, integration_id=integration_id)

    def booking_command(self, operation: str, result: str) -> None:
        self._counters.booking_commands.labels(code_label(operation), code_label(result)).inc()
        _tell("booking_command", result, _COMMANDED, operation=operation)

    def subscription(self, integration_id: IntegrationId, result: str) -> None:
        self._counters.subscriptions.labels(code_label(result)).inc()
        _tell("subscription", result, _SUBSCRIBED, integration_id=integration_id)

    def subscription_replaced(
        self, integration_id: IntegrationId, trouble: str, since: datetime
    ) -> None:
        self._counters.subscriptions_replaced.labels(code_label(trouble)).inc()
        _log.warning(
            "subscription_replaced",
            integration_id=integration_id,
            trouble=trouble,
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

    def bookings_unreadable(self, integration_id: IntegrationId, count: int) -> None:
        if count > 0:
            self._counters.bookings_unreadable.inc(count)
            _log.warning(
                "bookings_unreadable",
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


def _tell(event: str, result: str, good: frozenset[str], **fields: object) -> None:
    """Log a flow's end: quietly when it went well, as a warning when it did not."""
    if result in good:
        _log.debug(event, result=result, **fields)
    else:
        _log.warning(f"{event}_failed", error_code=code_label(result), **fields)
