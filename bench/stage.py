"""What every measurement needs, for real: PostgreSQL that syncs to disk, and processes on it.

All children end with the stage, whatever happens.
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
from typing import NamedTuple, TypeVar

from adapters.local_stack.postgres.server import EmbeddedPostgres
from adapters.local_stack.processes.environment import plain_environment
from adapters.local_stack.processes.ports import LOOPBACK
from adapters.local_stack.processes.supervisor import Child, ChildSpec, Supervisor
from adapters.local_stack.processes.waiting import wait_until_ready, wait_until_serving
from adapters.persistence.migrate import migrate
from domain.secret import Secret

_CODE = Path(__file__).parents[1]
READY_SECONDS = 120.0


class Server(NamedTuple):
    """A server that answers at a port of this machine."""

    name: str
    port: int
    child: Child

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://{LOOPBACK}:{self.port}"


class Stage:
    """The running database, and what a process of the service is told.

    Measurements that need more servers start them beside it.
    """

    def __init__(self, folder: Path, supervisor: Supervisor) -> None:
        self.folder = folder
        self.supervisor = supervisor
        self.postgres = EmbeddedPostgres(folder / "postgres", supervisor=supervisor)
        self._key = base64.b64encode(secrets.token_bytes(32)).decode()
        self._started = 0

    def start(self) -> None:
        """Start what has to be there from the beginning."""
        self.postgres.start()

    @property
    def database_url(self) -> Secret:
        """PostgreSQL's address."""
        return Secret(self.postgres.dsn)

    @property
    def encryption_keys(self) -> dict[str, Secret]:
        """The vault's ring."""
        return {"bench": Secret(self._key)}

    @property
    def environment(self) -> dict[str, str]:
        """What a process of the service reads."""
        return plain_environment() | {
            "DATABASE_URL": self.postgres.dsn,
            "CALENDLY_CLIENT_ID": "sandbox-client",
            "CALENDLY_CLIENT_SECRET": "sandbox-secret",
            "CALENDLY_WEBHOOK_SIGNING_KEY": "sandbox-signing-key",
            "CRON_SECRET": secrets.token_hex(16),
            "TOKEN_ENCRYPTION_KEYS": f"bench:{self._key}",
            "PUBLIC_URL": "http://localhost:8000",
        }

    def spawn(self, name: str, argv: Sequence[str], env: dict[str, str] | None = None) -> Child:
        """Start a program of this project, `python …`; it ends with the stage at the latest."""
        self._started += 1
        log = self.folder / f"{self._started}-{name}.log"
        env = plain_environment() if env is None else env
        argv = [sys.executable, *argv]
        spec = ChildSpec(name=name, argv=argv, env=env, log=log, stage=3, cwd=_CODE)
        return self.supervisor.spawn(spec)

    @contextmanager
    def serving(
        self, name: str, argv: Callable[[int], Sequence[str]], env: dict[str, str], health: str
    ) -> Iterator[Server]:
        """A program that serves HTTP at a free port, answering; stopped at the end.

        Args:
            name: of the program.
            argv: its arguments, given the port; 0 lets it choose a free one.
            env: its environment.
            health: the path that answers once it is ready.

        """
        child = self.spawn(name, argv(0), env)
        try:
            yield Server(name, wait_until_serving(child, health, READY_SECONDS), child)
        finally:
            child.stop()

    @contextmanager
    def web(self, name: str = "web", **variables: str) -> Iterator[Server]:
        """`slotkeeper web` as it is deployed, with these variables set."""
        with self.serving(
            name,
            lambda port: ["-m", "adapters.cli", "web", "--port", str(port)],
            self.environment | variables,
            "/health/live",
        ) as server:
            yield server

    @contextmanager
    def worker(self, **variables: str) -> Iterator[Child]:
        """`slotkeeper worker`, polling, with these variables set; stopped at the end."""
        ready = self.folder / f"worker-{self._started}.ready"
        argv = ["-m", "adapters.cli", "worker", "--ready-file", str(ready)]
        child = self.spawn("worker", argv, self.environment | variables)
        try:
            wait_until_ready(child, ready.exists, READY_SECONDS)
            yield child
        finally:
            child.stop()


S = TypeVar("S", bound=Stage)


@asynccontextmanager
async def staged(make: Callable[[Path, Supervisor], S]) -> AsyncIterator[S]:
    """Start a stage, migrated; at the end nothing of it is left."""
    folder = Path(tempfile.mkdtemp(prefix="slotkeeper-bench-", dir=os.environ.get("TMPDIR")))
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder)
        supervisor = stack.enter_context(Supervisor(folder / "supervisor.log"))
        stage = make(folder, supervisor)
        await asyncio.to_thread(stage.start)
        await migrate(stage.database_url)
        yield stage
