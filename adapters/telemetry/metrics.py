"""The counters of each flow, in a registry of their own.

A label is one of a closed set of codes: never an id, an address or a value that a caller chooses.
Every known series starts at zero. Prometheus' `increase()` sees no increase in a series that starts
at one. So an alert on the first event of its kind needs a series that exists before it.
"""

import re
from collections.abc import Iterable
from itertools import product

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Info,
    ProcessCollector,
    generate_latest,
)

from adapters.telemetry.omitted_fields import OMITTED
from application.ports.storage.availability_cache import CacheKind
from application.ports.storage.booking_commands import Operation
from application.ports.storage.breakers import Surface
from domain import errors
from domain.cache_policy import Freshness
from domain.errors.root import SlotkeeperError
from domain.integration import Cause
from domain.signature import Verdict
from domain.subscription import ReplaceReason
from domain.webhook import EVENT_TYPE_KINDS, INVITEE_KINDS, NO_SHOW_KINDS

CONTENT_TYPE = "text/plain; version=1.0.0; charset=utf-8"

_CODE = re.compile(r"[a-z][a-z0-9_]{0,63}")
OTHER = "other"
# The values of the gauge of a circuit.
CIRCUIT_STATES = {"closed": 0, "half_open": 1, "open": 2}

_RECEIVED = (
    "stored",
    "duplicate",
    *sorted(set(Verdict) - {Verdict.VALID}),
    "malformed_body",
    "too_large",
    "too_slow",
    "unavailable",
    "unknown_subscription",
)
_KINDS = (*sorted(INVITEE_KINDS | NO_SHOW_KINDS | EVENT_TYPE_KINDS), OTHER)
_APPLIED = (
    "applied",
    "ignored",
    "nobodys_event",
    "unapplied",
    "dead_lettered",
    "webhook_unreadable",
    "webhook_malformed",
    "encryption_key_unknown",
    "sealed_value_corrupt",
    "storage_unavailable",
    "storage_contended",
    "unexpected",
)


def _codes(*roots: type[SlotkeeperError]) -> set[str]:
    codes = {root.code for root in roots}
    return codes.union(*(_codes(*root.__subclasses__()) for root in roots))


_CALLING = sorted(
    _codes(
        errors.CalendlyError,
        errors.CircuitOpen,
        errors.ReauthRequired,
        errors.RefreshInProgress,
        errors.SealedValueUnreadable,
        errors.StorageUnavailable,
    )
)
_BOOKING = sorted({*_CALLING, *_codes(errors.InvalidInput, errors.NotFound, errors.Conflict)})


def code_label(value: str) -> str:
    """Return the value if it has the form of a code, else `other`."""
    return value if _CODE.fullmatch(value) else OTHER


def kind_label(kind: str) -> str:
    """Return a known webhook kind, else `other`: Calendly chooses the kinds."""
    return kind if kind in _KINDS else OTHER


class Counters:
    """Every counter of the service, registered together.

    Args:
        version: of the running program, shown as `slotkeeper_build_info`.

    """

    def __init__(self, version: str) -> None:
        self._registry = CollectorRegistry(auto_describe=True)
        ProcessCollector(registry=self._registry)
        Info("slotkeeper_build", "The running program.", registry=self._registry).info(
            {"version": version}
        )
        self.token_refreshes = self._counter(
            "token_refreshes",
            "Token refreshes that ended, by result.",
            result=("refreshed", "lost_race", *_CALLING),
        )
        self.reauths_required = self._counter(
            "reauths_required", "Integrations that came to need a person, by cause.", cause=Cause
        )
        self.connects = self._counter(
            "connects",
            "Accounts connected; recovered ones had needed a person.",
            recovered=("true", "false"),
        )
        self.connect_confirmations = self._counter(
            "connect_confirmations",
            "Confirmations of connect flows, by result.",
            result=("confirmed", "repeated", "failed", "unknown_handle", "another_user"),
        )
        self.disconnects = self._counter(
            "disconnects",
            "Accounts erased; unrevoked ones may live on at Calendly.",
            result=("erased", "erased_unrevoked"),
        )
        self.webhooks_received = self._counter(
            "webhooks_received", "Deliveries, by result.", result=_RECEIVED
        )
        self.webhooks_applied = self._counter(
            "webhooks_applied", "Stored events, by result.", kind=_KINDS, result=_APPLIED
        )
        self.erasures = self._counter(
            "erasures",
            "Invitees erased; unreadable: not from all bodies; unfinished: interrupted.",
            result=("finished", "unreadable", "unfinished"),
        )
        self.availability_reads = self._counter(
            "availability_reads",
            "Reads served from the cache.",
            kind=CacheKind,
            freshness=Freshness,
        )
        self.availability_waits = self._counter(
            "availability_waits",
            "Reads that waited for a fetch, by result.",
            result=("fetched", "not_fetched", "pending"),
        )
        self.availability_fetches = self._counter(
            "availability_fetches",
            "Cache entries requested from Calendly.",
            kind=CacheKind,
            result=("fetched", "unchanged", *_CALLING),
        )
        self.availability_syncs = self._counter(
            "availability_syncs",
            "Fetches of a user's availability.",
            result=("synced", "partly", "up_to_date", *_CALLING),
        )
        self.booking_commands = self._counter(
            "booking_commands",
            "Booking commands, by result.",
            operation=Operation,
            result=("done", "repeated", *_BOOKING),
        )
        self.subscription_checks = self._counter(
            "subscription_checks",
            "Checks of webhook subscriptions, by result.",
            result=("kept", "kept_failing", "created", "replaced", *_CALLING),
        )
        self.subscriptions_replaced = self._counter(
            "subscriptions_replaced",
            "Webhook subscriptions that a new one replaced, by reason.",
            reason=ReplaceReason,
        )
        self.circuit_state = Gauge(
            "slotkeeper_circuit_state",
            "A surface of Calendly as last seen: 0 closed, 1 half-open, 2 open.",
            ["surface"],
            registry=self._registry,
        )
        for surface in Surface:
            self.circuit_state.labels(surface)
        self.circuit_trips = self._counter(
            "circuit_trips", "Openings of a surface's breaker by this process.", surface=Surface
        )
        self.clock_skew = Gauge(
            "slotkeeper_clock_skew_seconds",
            "This host's clock minus PostgreSQL's, as last measured.",
            registry=self._registry,
        )
        self.schedules_missing = Gauge(
            "slotkeeper_schedules_missing",
            "1 for a schedule that is missing or starts another job, as this worker last saw it.",
            ["schedule"],
            registry=self._registry,
        )
        self.bookings_repaired = self._counter(
            "bookings_repaired",
            "Bookings corrected because webhooks were lost; above zero is an alert.",
        )
        self.availability_skipped = self._counter(
            "availability_skipped",
            "Records of availability that could not be read and were skipped.",
            kind=CacheKind,
        )
        self.reconciliations_stopped = self._counter(
            "reconciliations_stopped",
            "Comparisons of one integration's bookings that did not end, by reason.",
            reason=(*_CALLING, "unfinished"),
        )
        self.oldest_reconciled = Gauge(
            "slotkeeper_oldest_reconciled_timestamp_seconds",
            "Since when one of the active integrations is not compared; 0 when unknown.",
            registry=self._registry,
        )
        self.bookings_unreadable = self._counter(
            "bookings_unreadable",
            "Events and invitees that reconciliations could not read and skipped.",
        )

        self.fields_omitted = OMITTED
        self._registry.register(OMITTED)

    def render(self) -> bytes:
        """Return everything in Prometheus' text format; serve it as CONTENT_TYPE."""
        return generate_latest(self._registry)

    def _counter(self, name: str, documentation: str, **labels: Iterable[str]) -> Counter:
        """Register a counter, with a series for each combination of its labels' known values."""
        counter = Counter(f"slotkeeper_{name}", documentation, [*labels], registry=self._registry)
        for values in product(*labels.values()) if labels else ():
            counter.labels(*values)
        return counter
