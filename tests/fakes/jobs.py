"""Jobs that are recorded instead of run."""

from uuid import uuid4

from adapters.temporal.schedules import ScheduleFaults
from application.ports.jobs import StartedJob
from domain.errors import JobsUnavailable
from domain.ids import IntegrationId


class FakeJobs:
    """Records every start; a job stays under way until `finish` is called with its id.

    `started` holds the workflow ids in the order in which they really started; while `down` is
    set every call raises JobsUnavailable and starts nothing.
    """

    def __init__(self) -> None:
        self.started: list[str] = []
        self.down = False
        self.faults = ScheduleFaults()
        self._open: dict[str, str] = {}

    async def refresh_tokens(self) -> StartedJob:
        """Record the token refresh."""
        return self._start("refresh-calendly-tokens")

    async def sync_availability(self) -> StartedJob:
        """Record the availability sync."""
        return self._start("sync-calendly-availability")

    async def apply_webhooks(self) -> StartedJob:
        """Record the application of stored webhooks."""
        return self._start("apply-calendly-webhooks")

    async def onboard(self, integration_id: IntegrationId) -> StartedJob:
        """Record an onboarding."""
        return self._start(f"integration/{integration_id}/onboard")

    async def disconnect(self, integration_id: IntegrationId) -> StartedJob:
        """Record a disconnection."""
        return self._start(f"integration/{integration_id}/disconnect")

    async def schedule_faults(self) -> ScheduleFaults:
        """Return the faults that a test set. Raises JobsUnavailable while down."""
        await self.check()
        return self.faults

    async def check(self) -> None:
        """Raise JobsUnavailable while down."""
        self._reach()

    def finish(self, workflow_id: str) -> None:
        """End a job, so that the next start is a new run; one that is not open is an error."""
        del self._open[workflow_id]

    def _start(self, workflow_id: str) -> StartedJob:
        self._reach()
        already_running = workflow_id in self._open
        if not already_running:
            self._open[workflow_id] = str(uuid4())
            self.started.append(workflow_id)
        return StartedJob(
            workflow_id=workflow_id,
            run_id=self._open[workflow_id],
            already_running=already_running,
        )

    def _reach(self) -> None:
        if self.down:
            raise JobsUnavailable("Temporal cannot be reached.", retry_after=5)
