"""The refresh job as the schedule starts it, and what its runs left in history."""

import uuid
from typing import Any

from temporalio.client import Client, WorkflowHandle

from adapters.temporal import contract
from adapters.temporal.connect import connect
from application.tally import Tally
from bench.tokens.stage import Stage
from workflows.messages import Sweep


async def client_of(stage: Stage) -> Client:
    """Return a client of the stage's Temporal."""
    return await connect(stage.temporal.address, "default")


async def run_job(client: Client, sweep: Sweep | None = None) -> Tally:
    """Run the job to its end, as the schedule does; its tally."""
    return await (await start_job(client, sweep)).result()


async def start_job(client: Client, sweep: Sweep | None = None) -> WorkflowHandle[Any, Tally]:
    """Start the job under an id of its own."""
    return await client.start_workflow(
        contract.REFRESH_TOKENS,
        args=[] if sweep is None else [sweep],
        id=f"{contract.REFRESH_TOKENS_ID}-{uuid.uuid4()}",
        task_queue=contract.TASK_QUEUE,
        result_type=Tally,
    )


async def history_lengths(client: Client, started: WorkflowHandle[Any, Tally]) -> list[int]:
    """Return the number of events of each run of a job that has ended, the first run first."""
    lengths, run_id = [], started.first_execution_run_id
    while run_id:
        history = await client.get_workflow_handle(started.id, run_id=run_id).fetch_history()
        lengths.append(len(history.events))
        last = history.events[-1].workflow_execution_continued_as_new_event_attributes
        run_id = last.new_execution_run_id
    return lengths
