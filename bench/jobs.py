"""Jobs, started as their schedules start them."""

import uuid
from typing import Any

from temporalio.client import Client, WorkflowHandle

from adapters.temporal import contract
from application.jobs.job_result import JobResult
from workflows.messages import PagingState


async def run_job(client: Client, workflow: str) -> JobResult:
    """Run a job to its end and return its result."""
    return await (await start_job(client, workflow)).result()


async def start_job(
    client: Client, workflow: str, sweep: PagingState | None = None
) -> WorkflowHandle[Any, JobResult]:
    """Start a job by the name of its workflow, under an id of its own."""
    return await client.start_workflow(
        workflow,
        args=[] if sweep is None else [sweep],
        id=f"{workflow}-{uuid.uuid4()}",
        task_queue=contract.TASK_QUEUE,
        result_type=JobResult,
    )
