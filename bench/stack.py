"""The servers that a measurement needs: PostgreSQL that syncs to disk, and more on request.

All processes end with the stack, also when the measurement fails.
"""

import asyncio
import base64
import os
import secrets
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import NamedTuple

import asyncpg
from temporalio.client import Client

from adapters.local_stack.postgres.server import EmbeddedPostgres
from adapters.local_stack.processes.environment import plain_environment
from adapters.local_stack.processes.ports import LOOPBACK
from adapters.local_stack.processes.supervisor import Child, ChildSpec, Supervisor
from adapters.local_stack.processes.waiting import wait_until_ready, wait_until_serving
from adapters.local_stack.temporal_server import NAMESPACE, TemporalDevServer
from adapters.persistence.migrate import migrate
from adapters.temporal.connect import connect
from domain.secret import Secret

_CODE = Path(__file__).parents[1]
_READY_SECONDS = 120.0


class Server(NamedTuple):
    """A server that listens at a port of this machine."""

    port: int
    child: Child

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://{LOOPBACK}:{self.port}"


class Stack:
    """PostgreSQL, Temporal if requested, and the processes that use them.

    Attributes:
        pids: the processes of the databases and of a simulated Calendly, by name.
        variables: environment variables for the service's processes, beside those of the stack.
        calendly_url: the address of the simulated Calendly that those processes use.

    """

    def __init__(self, folder: Path, supervisor: Supervisor, *, temporal: bool) -> None:
        self.folder = folder
        self.postgres = EmbeddedPostgres(folder / "postgres", supervisor=supervisor)
        self.temporal = (
            TemporalDevServer(
                folder / "temporal", persistent=True, durable=False, supervisor=supervisor
            )
            if temporal
            else None
        )
        self.pids: dict[str, int] = {}
        self.variables: dict[str, str] = {}
        self.calendly_url = ""
        self._supervisor = supervisor
        self._key = base64.b64encode(secrets.token_bytes(32)).decode()
        self._started = 0

    def start(self) -> None:
        """Start the databases."""
        if self.temporal is not None:
            self.temporal.launch()
        self.postgres.start()
        self.pids["PostgreSQL"] = self.postgres.child.pid
        if self.temporal is not None:
            self.temporal.await_ready()
            self.pids["Temporal"] = self.temporal.child.pid

    @property
    def encryption_keys(self) -> dict[str, Secret]:
        """The keys that tokens are encrypted with, by name."""
        return {"bench": Secret(self._key)}

    @property
    def environment(self) -> dict[str, str]:
        """The environment of the service's processes."""
        environment = plain_environment() | {
            "DATABASE_URL": self.postgres.dsn,
            "CALENDLY_CLIENT_ID": "sandbox-client",
            "CALENDLY_CLIENT_SECRET": "sandbox-secret",
            "CALENDLY_WEBHOOK_SIGNING_KEY": "sandbox-signing-key",
            "CRON_SECRET": secrets.token_hex(16),
            "TOKEN_ENCRYPTION_KEYS": f"bench:{self._key}",
            "PUBLIC_URL": "http://localhost:8000",
            # The limits are kept and never reached.
            "RATE_PER_KEY": "1000000",
            "RATE_PER_USER": "1000000",
        }
        if self.temporal is not None:
            environment["TEMPORAL_ADDRESS"] = self.temporal.address
            environment["TEMPORAL_NAMESPACE"] = NAMESPACE
        return environment | self.variables

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[asyncpg.Connection]:
        """A connection to the database."""
        connection = await asyncpg.connect(self.postgres.dsn)
        try:
            yield connection
        finally:
            await connection.close()

    async def temporal_client(self) -> Client:
        """Return a client of the Temporal server."""
        if self.temporal is None:
            raise RuntimeError("this stack has no Temporal server")
        return await connect(self.temporal.address, NAMESPACE)

    @contextmanager
    def server(
        self,
        argv: Callable[[int], Sequence[str]],
        health: str,
        env: dict[str, str] | None = None,
    ) -> Iterator[Server]:
        """A Python module that serves HTTP at a free port, ready; stopped at the end.

        Args:
            argv: its name and arguments, given the port; 0 lets it choose a free one.
            health: the path that is answered 200 once it is ready.
            env: the environment; None means this process's own without addresses of servers.

        """
        child = self._spawn(argv(0), env or plain_environment())
        try:
            yield Server(wait_until_serving(child, health, _READY_SECONDS), child)
        finally:
            child.stop()

    @contextmanager
    def web(self, **variables: str) -> Iterator[Server]:
        """`slotkeeper web` as it is deployed, with these variables set; stopped at the end."""
        with self.server(
            lambda port: ["adapters.cli", "web", "--port", str(port)],
            "/health/live",
            self.environment | variables,
        ) as server:
            yield server

    @contextmanager
    def worker(self, **variables: str) -> Iterator[Child]:
        """`slotkeeper worker`, polling, with these variables set; stopped at the end.

        It creates no schedules, so that only the benchmark starts jobs.
        """
        ready = self.folder / f"worker-{self._started}.ready"
        argv = ["adapters.cli", "worker", "--no-schedules", "--ready-file", str(ready)]
        child = self._spawn(argv, self.environment | variables)
        try:
            wait_until_ready(child, ready.exists, _READY_SECONDS)
            yield child
        finally:
            child.stop()

    @contextmanager
    def calendly(
        self, name: str, argv: Callable[[int], Sequence[str]], health: str
    ) -> Iterator[Server]:
        """A server that the service's processes use as Calendly; stopped at the end."""
        with self.server(argv, health) as server:
            self.variables |= {"CALENDLY_API_URL": server.url, "CALENDLY_AUTH_URL": server.url}
            self.pids[name], self.calendly_url = server.child.pid, server.url
            yield server

    @contextmanager
    def sandbox(self, users: int) -> Iterator[Server]:
        """A sandbox with so many numbered users, as Calendly; stopped at the end."""
        with self.calendly(
            "sandbox",
            lambda port: ["sandbox", "--port", str(port), "--users", str(users)],
            "/_control/health",
        ) as server:
            yield server

    def _spawn(self, argv: Sequence[str], env: dict[str, str]) -> Child:
        self._started += 1
        spec = ChildSpec(
            name=argv[0],
            argv=[sys.executable, "-m", *argv],
            env=env,
            log=self.folder / f"{self._started}-{argv[0]}.log",
            stage=3,
            cwd=_CODE,
        )
        return self._supervisor.spawn(spec)


@asynccontextmanager
async def open_stack(*, temporal: bool = False) -> AsyncIterator[Stack]:
    """Start PostgreSQL with all migrations, and Temporal if requested; removed at the end."""
    folder = Path(tempfile.mkdtemp(prefix="slotkeeper-bench-", dir=os.environ.get("TMPDIR")))
    with ExitStack() as exits:
        exits.callback(shutil.rmtree, folder)
        supervisor = exits.enter_context(Supervisor(folder / "supervisor.log"))
        stack = Stack(folder, supervisor, temporal=temporal)
        await asyncio.to_thread(stack.start)
        await migrate(Secret(stack.postgres.dsn))
        yield stack
