"""One eventful run of each workflow: what the recorded histories hold."""

from collections.abc import Awaitable, Callable, Mapping
from uuid import UUID

from temporalio.client import WorkflowHandle

from adapters.temporal import contract
from adapters.temporal.contract import IntegrationInput
from application.jobs.job_result import JobResult
from domain.errors import (
    CalendlyForbidden,
    CalendlyThrottled,
    CalendlyUnavailable,
    StorageUnavailable,
)
from domain.ids import IntegrationId
from tests.workflows.fakes import CursorRows, DueRows, Erase, OneIntegration, ReconcileOne
from tests.workflows.running import Bench
from workflows.messages import PagingState

Scenario = Callable[[Bench], Awaitable["WorkflowHandle[object, object]"]]

OF = IntegrationInput(IntegrationId(UUID("0190a0b4-7f2d-7c3e-8000-000000000001")))


async def refresh(bench: Bench) -> WorkflowHandle[object, object]:
    """A wait for an open breaker, then three pages, the first of them throttled once."""
    bench.use_cases.refresh_due_tokens = DueRows(
        waits=[JobResult(held_by="circuit_open", resume_in=60)],
        rows=["refreshed", "GRANT_REFUSED", "refreshed", "refreshed", "left_for_later"],
        errors=[CalendlyThrottled("Slow down.", retry_after=30)],
    )
    return await bench.start(contract.REFRESH_TOKENS)


async def sync(bench: Bench) -> WorkflowHandle[object, object]:
    """A long sweep: the history is the first run's, which continues as new."""
    bench.use_cases.sync_due_availability = DueRows(rows=["synced"] * 5)
    return await bench.start(contract.SYNC_AVAILABILITY, PagingState(pages_per_run=2))


async def apply_webhooks(bench: Bench) -> WorkflowHandle[object, object]:
    """Two pages; the first attempt of the first one meets a PostgreSQL that is down."""
    bench.use_cases.apply_webhooks = DueRows(
        rows=["applied", "ignored", "applied"], errors=[StorageUnavailable("PostgreSQL is away.")]
    )
    return await bench.start(contract.APPLY_WEBHOOKS)


async def heal(bench: Bench) -> WorkflowHandle[object, object]:
    """Three pages by cursor."""
    bench.use_cases.heal_subscriptions = CursorRows(rows=["kept", "replaced", "kept"] * 2)
    return await bench.start(contract.HEAL_WEBHOOKS)


async def reconcile(bench: Bench) -> WorkflowHandle[object, object]:
    """Two pages by cursor."""
    bench.use_cases.reconcile_all = CursorRows(rows=["unchanged", "repaired", "unchanged"])
    return await bench.start(contract.RECONCILE_BOOKINGS)


async def prune(bench: Bench) -> WorkflowHandle[object, object]:
    """A page by cursor whose first attempt met PostgreSQL down, then a second one."""
    bench.use_cases.prune_webhooks = CursorRows(
        rows=["webhook_events"] * 25, errors=[StorageUnavailable("PostgreSQL is away.")]
    )
    return await bench.start(contract.PRUNE_WEBHOOKS)


async def fill_gaps(bench: Bench) -> WorkflowHandle[object, object]:
    """Two pages by cursor."""
    bench.use_cases.fill_gaps = CursorRows(rows=["repaired", "unchanged", "repaired"])
    return await bench.start(contract.FILL_GAPS)


async def onboard(bench: Bench) -> WorkflowHandle[object, object]:
    """Subscribing is refused, the back-fill needs a second attempt, the sync works."""
    bench.use_cases.ensure_subscription = OneIntegration(always=CalendlyForbidden("Plan."))
    bench.use_cases.sync_availability = OneIntegration(result="synced")
    bench.use_cases.reconcile_bookings = ReconcileOne(
        changed=2, errors=[CalendlyUnavailable("Down.")]
    )
    return await bench.start(contract.ONBOARD, OF)


async def disconnect(bench: Bench) -> WorkflowHandle[object, object]:
    """Calendly stays down for the day, so the erasure is forced."""
    bench.use_cases.finish_disconnect = Erase(calendly_error=CalendlyUnavailable("Down."))
    return await bench.start(contract.DISCONNECT, OF)


SCENARIOS: Mapping[str, Scenario] = {
    "refresh_calendly_tokens": refresh,
    "sync_calendly_availability": sync,
    "apply_calendly_webhooks": apply_webhooks,
    "heal_calendly_webhooks": heal,
    "reconcile_calendly_bookings": reconcile,
    "fill_calendly_gaps": fill_gaps,
    "prune_calendly_webhooks": prune,
    "onboard_integration": onboard,
    "disconnect_integration": disconnect,
}
"""By the workflow's module."""
