"""The counters of each flow, in a registry of their own.

A label is one of a closed set of codes: never an id, an address or anything a caller chooses.
"""

import re

from prometheus_client import CollectorRegistry, Counter, Info, ProcessCollector, generate_latest

from domain.webhook import EVENT_TYPE_KINDS, INVITEE_KINDS, NO_SHOW_KINDS

CONTENT_TYPE = "text/plain; version=1.0.0; charset=utf-8"

_CODE = re.compile(r"[a-z][a-z0-9_]{0,63}")
_KINDS = INVITEE_KINDS | NO_SHOW_KINDS | EVENT_TYPE_KINDS
OTHER = "other"


def code_label(value: str) -> str:
    """Return the code itself, or `other` for what has not the form of a code."""
    return value if _CODE.fullmatch(value) else OTHER


def kind_label(kind: str) -> str:
    """Return a webhook's kind, or `other` for one that we do not know: Calendly chooses those."""
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
        self.token_refresh = self._counter(
            "token_refresh", "Token refreshes that ended, by outcome.", "outcome"
        )
        self.reauth_required = self._counter(
            "reauth_required", "Integrations that came to need a person, by cause.", "cause"
        )
        self.connects = self._counter(
            "connects", "Accounts connected; recovered ones had needed a person.", "recovered"
        )
        self.webhooks_received = self._counter(
            "webhooks_received", "Deliveries, by what became of them.", "result"
        )
        self.webhooks_applied = self._counter(
            "webhooks_applied", "Stored events worked on.", "kind", "result"
        )
        self.availability_reads = self._counter(
            "availability_reads", "Answers served from the cache.", "part", "freshness"
        )
        self.availability_syncs = self._counter(
            "availability_syncs", "Fetches of a user's availability.", "result"
        )
        self.booking_commands = self._counter(
            "booking_commands", "Acting requests, by how they ended.", "operation", "result"
        )
        self.subscriptions = self._counter(
            "subscriptions", "Webhook subscriptions looked after.", "result"
        )
        self.bookings_repaired = self._counter(
            "bookings_repaired", "Bookings that webhooks had missed; above zero is an alert."
        )

    def render(self) -> bytes:
        """Return everything in Prometheus' text format; serve it as CONTENT_TYPE."""
        return generate_latest(self._registry)

    def _counter(self, name: str, documentation: str, *labels: str) -> Counter:
        return Counter(f"slotkeeper_{name}", documentation, labels, registry=self._registry)
