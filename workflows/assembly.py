"""A worker put together: catalog, sandbox, edge, limits."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from temporalio.client import Client
from temporalio.worker import Worker
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from adapters.temporal.contract import TASK_QUEUE
from domain.retries import RetryTable
from workflows.activity_edge import ActivityEdge
from workflows.catalog import WORKFLOWS, Activity

GRACE: Final = timedelta(seconds=10)
"""How long activities may go on after a stop was asked for; a platform must wait longer."""

_BEATS_APART: Final = timedelta(seconds=2)
"""Heartbeats are passed on this often: a token pair that rides in one must leave soon."""

# Each page works many rows at a time on a shared pool of database connections.
_ACTIVITIES_AT_ONCE: Final = 32

# All deterministic. Loaded once, also because a class loaded twice is two classes.
_PASSED_THROUGH: Final = (
    "msgspec",
    "structlog",
    "domain",
    "application",
    "adapters.temporal",
    "workflows.activities",
    "workflows.activity_edge",
    "workflows.details",
    "workflows.failures",
    "workflows.messages",
    "workflows.options",
    "workflows.paging",
)


def workflow_runner() -> SandboxedWorkflowRunner:
    """Return the sandbox that workflows run in, here and when histories are replayed."""
    restrictions = SandboxRestrictions.default.with_passthrough_modules(*_PASSED_THROUGH)
    return SandboxedWorkflowRunner(restrictions=restrictions)


def build_worker(
    client: Client,
    activities: Sequence[Activity],
    *,
    task_queue: str = TASK_QUEUE,
    grace: timedelta = GRACE,
    retries: RetryTable | None = None,
) -> Worker:
    """Return a worker of every workflow and these activities, not yet polling."""
    return Worker(
        client,
        task_queue=task_queue,
        workflows=WORKFLOWS,
        activities=activities,
        workflow_runner=workflow_runner(),
        interceptors=[ActivityEdge(retries)],
        max_concurrent_activities=_ACTIVITIES_AT_ONCE,
        graceful_shutdown_timeout=grace,
        max_heartbeat_throttle_interval=_BEATS_APART,
        default_heartbeat_throttle_interval=_BEATS_APART,
    )
