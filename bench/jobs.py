"""Jobs as their schedules start them, by a real Temporal."""

import uuid
from pathlib import Path
from typing import Any

from temporalio.client import Client, WorkflowHandle

from adapters.local_stack.processes.supervisor import Supervisor
from adapters.local_stack.temporal_server import NAMESPACE, TemporalDevServer
from adapters.temporal import contract
from adapters.temporal.connect import connect
from application.jobs.job_result import JobResult
from bench.stage import Stage
from workflows.messages import PagingState


class TemporalStage(Stage):
    """A stage with a Temporal."""

    def __init__(self, folder: Path, supervisor: Supervisor) -> None:
        super().__init__(folder, supervisor)
        self.temporal = TemporalDevServer(
            folder / "temporal", persistent=True, durable=False, supervisor=supervisor
        )

    def start(self) -> None:
        """Start both servers."""
        self.temporal.launch()
        super().start()
        self.temporal.await_ready()

    @property
    def pids(self) -> dict[str, int]:
        """The servers' processes."""
        return {"PostgreSQL": self.postgres.child.pid, "Temporal": self.temporal.child.pid}

    @property
    def environment(self) -> dict[str, str]:
        """What a process of the service reads."""
        return super().environment | {
            "TEMPORAL_ADDRESS": self.temporal.address,
            "TEMPORAL_NAMESPACE": NAMESPACE,
        }


async def client_of(stage: TemporalStage) -> Client:
    """Return a client of the stage's Temporal."""
    return await connect(stage.temporal.address, NAMESPACE)


async def run_job(client: Client, workflow: str) -> JobResult:
    """Run a job to its end, as its schedule does; its tally."""
    return await (await start_job(client, workflow)).result()


async def start_job(
    client: Client, workflow: str, state: PagingState | None = None
) -> WorkflowHandle[Any, JobResult]:
    """Start a job, by its workflow's name, under an id of its own."""
    return await client.start_workflow(
        workflow,
        args=[] if state is None else [state],
        id=f"{workflow}-{uuid.uuid4()}",
        task_queue=contract.TASK_QUEUE,
        result_type=JobResult,
    )
