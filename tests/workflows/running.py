"""Running one workflow over fake use cases, as tests and the recording of histories do."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from uuid import uuid4

from temporalio.client import Client, WorkflowHandle

from tests.workflows.fakes import FakeUseCases
from workflows.assembly import build_worker
from workflows.catalog import activities_of


class Bench:
    """A client, a fresh task queue and use cases to be filled before a workflow is run."""

    def __init__(self, client: Client, page_size: int = 2) -> None:
        self.client = client
        self.use_cases = FakeUseCases()
        self.task_queue = f"test-{uuid4()}"
        self.page_size = page_size

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """Keep a worker on the task queue."""
        activities = activities_of(self.use_cases.services, page_size=self.page_size)
        async with build_worker(
            self.client, activities, task_queue=self.task_queue, grace=timedelta(milliseconds=100)
        ):
            yield

    async def start(self, workflow: str, *arguments: Any) -> WorkflowHandle[Any, Any]:
        """Start a workflow under an id of its own."""
        return await self.client.start_workflow(
            workflow, args=arguments, id=f"test/{uuid4()}", task_queue=self.task_queue
        )

    async def run(self, workflow: str, *arguments: Any, result_type: type | None = None) -> Any:
        """Run a workflow to its end and return its result."""
        async with self.working():
            return await self.client.execute_workflow(
                workflow,
                args=arguments,
                id=f"test/{uuid4()}",
                task_queue=self.task_queue,
                result_type=result_type,
            )
