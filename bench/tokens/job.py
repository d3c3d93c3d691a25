"""What the runs of a job left in history."""

from typing import Any

from temporalio.client import Client, WorkflowHandle

from application.jobs.job_result import JobResult


async def history_lengths(client: Client, started: WorkflowHandle[Any, JobResult]) -> list[int]:
    """Return the number of events of each run of a job that has ended, the first run first."""
    lengths, run_id = [], started.first_execution_run_id
    while run_id:
        history = await client.get_workflow_handle(started.id, run_id=run_id).fetch_history()
        lengths.append(len(history.events))
        last = history.events[-1].workflow_execution_continued_as_new_event_attributes
        run_id = last.new_execution_run_id
    return lengths
