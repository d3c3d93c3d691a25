"""The counters of each flow, in a registry of their own.

A label is one of a closed set of codes: never an id, an address or a value that a caller chooses.
"""

import re

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Info,
    ProcessCollector,
    generate_latest,
)

from domain.webhook import EVENT_TYPE_KINDS, INVITEE_KINDS, NO_SHOW_KINDS

CONTENT_TYPE = "text/plain; version=1.0.0; charset=utf-8"

_CODE = re.compile(r"[a-z][a-z0-9_]{0,63}")
_KINDS = INVITEE_KINDS | NO_SHOW_KINDS | EVENT_TYPE_KINDS
OTHER = "other"
# The values of the gauge of a circuit.
CIRCUIT_STATES = {"closed": 0, "half_open": 1, "open": 2}


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
            "token_refreshes", "Token refreshes that ended, by result.", "result"
        )
        self.reauths_required = self._counter(
            "reauths_required", "Integrations that came to need a person, by cause.", "cause"
        )
        self.connects = self._counter(
            "connects", "Accounts connected; recovered ones had needed a person.", "recovered"
        )
        self.disconnects = self._counter(
            "disconnects", "Accounts erased; unrevoked ones may live on at Calendly.", "result"
        )
        self.webhooks_received = self._counter(
            "webhooks_received", "Deliveries, by result.", "result"
        )
        self.webhooks_applied = self._counter(
            "webhooks_applied", "Stored events worked on.", "kind", "result"
        )
        self.erasures = self._counter(
            "erasures",
            "Invitees erased; unreadable: not from all bodies; unfinished: interrupted.",
            "result",
        )
        self.availability_reads = self._counter(
            "availability_reads", "Reads served from the cache.", "kind", "freshness"
        )
        self.availability_waits = self._counter(
            "availability_waits", "Reads that waited for a fetch, by result.", "result"
        )
        self.availability_fetches = self._counter(
            "availability_fetches", "Cache entries requested from Calendly.", "kind", "result"
        )
        self.availability_syncs = self._counter(
            "availability_syncs", "Fetches of a user's availability.", "result"
        )
        self.booking_commands = self._counter(
            "booking_commands", "Booking commands, by result.", "operation", "result"
        )
        self.subscription_checks = self._counter(
            "subscription_checks", "Checks of webhook subscriptions, by result.", "result"
        )
        self.subscriptions_replaced = self._counter(
            "subscriptions_replaced",
            "Webhook subscriptions that a new one replaced, by reason.",
            "reason",
        )
        self.circuit_state = Gauge(
            "slotkeeper_circuit_state",
            "A surface of Calendly as last seen: 0 closed, 1 half-open, 2 open.",
            ["surface"],
            registry=self._registry,
        )
        self.circuit_trips = self._counter(
            "circuit_trips", "Openings of a surface's breaker by this process.", "surface"
        )
        self.bookings_repaired = self._counter(
            "bookings_repaired",
            "Bookings corrected because webhooks were lost; above zero is an alert.",
        )
        self.bookings_unreadable = self._counter(
            "bookings_unreadable",
            "Events and invitees that reconciliations could not read and skipped.",
        )

    def render(self) -> bytes:
        """Return everything in Prometheus' text format; serve it as CONTENT_TYPE."""
        return generate_latest(self._registry)

    def _counter(self, name: str, documentation: str, *labels: str) -> Counter:
        return Counter(f"slotkeeper_{name}", documentation, labels, registry=self._registry)
