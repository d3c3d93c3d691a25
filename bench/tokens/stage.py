"""What measuring tokens needs beside the database and Temporal: a sandbox with many users."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from adapters.local_stack.processes.ports import LOOPBACK
from adapters.local_stack.processes.supervisor import Supervisor
from adapters.local_stack.processes.waiting import wait_until_serving
from bench.jobs import TemporalStage
from bench.stage import READY_SECONDS, staged


class Stage(TemporalStage):
    """The running servers, and where they are."""

    def __init__(self, folder: Path, supervisor: Supervisor, *, users: int) -> None:
        super().__init__(folder, supervisor)
        self.sandbox_url = ""
        self._users = users

    def start(self) -> None:
        """Start the three servers."""
        argv = ["-m", "sandbox", "--port", "0", "--users", str(self._users)]
        self.sandbox = self.spawn("sandbox", argv)
        super().start()
        port = wait_until_serving(self.sandbox, "/_control/health", READY_SECONDS)
        self.sandbox_url = f"http://{LOOPBACK}:{port}"

    @property
    def pids(self) -> dict[str, int]:
        """The servers' processes."""
        return {"sandbox": self.sandbox.pid} | super().pids

    @property
    def environment(self) -> dict[str, str]:
        """What a process of the service reads."""
        return super().environment | {
            "CALENDLY_AUTH_URL": self.sandbox_url,
            "CALENDLY_API_URL": self.sandbox_url,
            # As fast as it can: unthrottled, as the loop beside it is.
            "REFRESH_RATE": "0",
        }


@asynccontextmanager
async def open_stage(*, users: int) -> AsyncIterator[Stage]:
    """Start a stage with so many users at its Calendly; at the end nothing of it is left."""
    async with staged(lambda folder, supervisor: Stage(folder, supervisor, users=users)) as stage_:
        yield stage_
