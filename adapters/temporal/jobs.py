"""Starting workflows by name, for the processes that do not run them.

A call takes a few seconds at most, because an HTTP request waits for it.
"""

from datetime import timedelta
from typing import Final

from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError

from adapters.temporal import contract
from adapters.temporal.contract import IntegrationInput
from adapters.temporal.reaching import reaching
from adapters.temporal.schedules import ScheduleFaults, compare_schedules
from application.ports.jobs import StartedJob
from domain.ids import IntegrationId

CALL_TIMEOUT: Final = timedelta(seconds=4)


class TemporalJobs:
    """Jobs on a Temporal client, best a lazy one: then it may be made while Temporal is down."""

    def __init__(
        self,
        client: Client,
        *,
        task_queue: str = contract.TASK_QUEUE,
        timeout: timedelta = CALL_TIMEOUT,
    ) -> None:
        self._client = client
        self._task_queue = task_queue
        self._timeout = timeout

    async def refresh_tokens(self) -> StartedJob:
        """Run the token refresh now, or attach to the run under way."""
        return await self._start(contract.REFRESH_TOKENS, contract.REFRESH_TOKENS_ID)

    async def sync_availability(self) -> StartedJob:
        """Run the availability sync now, or attach to the run under way."""
        return await self._start(contract.SYNC_AVAILABILITY, contract.SYNC_AVAILABILITY_ID)

    async def apply_webhooks(self) -> StartedJob:
        """Apply stored webhooks now, or attach to the run under way."""
        return await self._start(contract.APPLY_WEBHOOKS, contract.APPLY_WEBHOOKS_ID)

    async def onboard(self, integration_id: IntegrationId) -> StartedJob:
        """Subscribe, sync and back-fill a new integration, or attach to the run under way."""
        return await self._start(
            contract.ONBOARD,
            contract.onboard_id(integration_id),
            IntegrationInput(integration_id=integration_id),
        )

    async def disconnect(self, integration_id: IntegrationId) -> StartedJob:
        """Unsubscribe, revoke and erase an integration, or attach to the run under way."""
        return await self._start(
            contract.DISCONNECT,
            contract.disconnect_id(integration_id),
            IntegrationInput(integration_id=integration_id),
        )

    async def check(self) -> None:
        """Raise JobsUnavailable unless Temporal answers and knows the namespace."""
        request = DescribeNamespaceRequest(namespace=self._client.namespace)
        async with reaching(self._client, self._timeout):
            await self._client.workflow_service.describe_namespace(request, timeout=self._timeout)

    async def schedule_faults(self) -> ScheduleFaults:
        """Return the schedules that are missing or different. Raises JobsUnavailable."""
        async with reaching(self._client, self._timeout):
            return await compare_schedules(self._client, self._task_queue)

    async def _start(
        self, workflow: str, workflow_id: str, argument: IntegrationInput | None = None
    ) -> StartedJob:
        async with reaching(self._client, self._timeout):
            try:
                handle = await self._client.start_workflow(
                    workflow,
                    args=[] if argument is None else [argument],
                    id=workflow_id,
                    task_queue=self._task_queue,
                    id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
                    # USE_EXISTING would hand out the open run too, but not say that it was open.
                    id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
                    rpc_timeout=self._timeout,
                )
            except WorkflowAlreadyStartedError as error:
                return StartedJob(
                    workflow_id=workflow_id, run_id=error.run_id or "", already_running=True
                )
        return StartedJob(
            workflow_id=workflow_id, run_id=handle.result_run_id or "", already_running=False
        )
