"""The label values that each counter starts with, at zero.

Prometheus' `increase()` sees no increase in a series that starts at one. An alert on the first
event of its kind needs a series that exists before it.
"""

from itertools import product

from adapters.telemetry.metrics import OTHER, Counters
from application.ports.storage.availability_cache import CacheKind
from application.ports.storage.booking_commands import Operation
from application.ports.storage.breakers import Surface
from domain import errors
from domain.cache_policy import Freshness
from domain.errors.root import SlotkeeperError
from domain.integration import Cause
from domain.signature import Verdict
from domain.subscription import Trouble
from domain.webhook import EVENT_TYPE_KINDS, INVITEE_KINDS, NO_SHOW_KINDS

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
    """Return the codes of errors and of all that descend from them."""
    codes = {root.code for root in roots}
    return codes.union(*(_codes(*root.__subclasses__()) for root in roots))


_CALLING = _codes(
    errors.CalendlyError,
    errors.CircuitOpen,
    errors.ReauthRequired,
    errors.RefreshInProgress,
    errors.SealedValueUnreadable,
    errors.StorageUnavailable,
)
_BOOKING = _CALLING | _codes(errors.InvalidInput, errors.NotFound, errors.Conflict)


def begin_at_zero(counters: Counters) -> None:
    """Create every series whose labels are known in advance."""
    for result in ("refreshed", "lost_race", *sorted(_CALLING)):
        counters.token_refreshes.labels(result)
    for cause in Cause:
        counters.reauths_required.labels(cause)
    _begin_circuits(counters)
    _begin_connections(counters)
    for result in _RECEIVED:
        counters.webhooks_received.labels(result)
    for kind, result in product(_KINDS, _APPLIED):
        counters.webhooks_applied.labels(kind, result)
    _begin_availability(counters)
    for operation, result in product(Operation, ("done", "repeated", *sorted(_BOOKING))):
        counters.booking_commands.labels(operation, result)
    for result in ("kept", "kept_failing", "created", "replaced", *sorted(_CALLING)):
        counters.subscription_checks.labels(result)
    for reason in Trouble:
        counters.subscriptions_replaced.labels(reason)


def _begin_availability(counters: Counters) -> None:
    for kind, freshness in product(CacheKind, Freshness):
        counters.availability_reads.labels(kind, freshness)
    for result in ("fetched", "not_fetched", "pending"):
        counters.availability_waits.labels(result)
    for kind, result in product(CacheKind, ("fetched", "unchanged", *sorted(_CALLING))):
        counters.availability_fetches.labels(kind, result)
    for result in ("synced", "partly", "up_to_date", *sorted(_CALLING)):
        counters.availability_syncs.labels(result)


def _begin_connections(counters: Counters) -> None:
    for recovered in ("true", "false"):
        counters.connects.labels(recovered)
    for result in ("erased", "erased_unrevoked"):
        counters.disconnects.labels(result)
    for result in ("finished", "unreadable", "unfinished"):
        counters.erasures.labels(result)


def _begin_circuits(counters: Counters) -> None:
    for surface in Surface:
        counters.circuit_state.labels(surface)
        counters.circuit_trips.labels(surface)
