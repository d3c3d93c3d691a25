"""Everything that a measurement needs, for real: PostgreSQL, the sandbox, Temporal, workers.

PostgreSQL syncs to disk as in production. All children end with the stage, whatever happens.
"""

import asyncio
import base64
import os
import secrets
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path

from adapters.local_stack.child import Child, ChildSpec
from adapters.local_stack.environment import plain_environment
from adapters.local_stack.guardian import Guardian
from adapters.local_stack.http_probe import answers_ok
from adapters.local_stack.ports import LOOPBACK, free_port
from adapters.local_stack.postgres import EmbeddedPostgres
from adapters.local_stack.temporal_server import NAMESPACE, TemporalDevServer
from adapters.local_stack.waiting import wait_until_ready
from adapters.persistence.migrate import migrate
from domain.secret import Secret

_CODE = Path(__file__).parents[2]
_READY_SECONDS = 120.0


class Stage:
    """The running servers, where they are, and what a process of the service is told."""

    def __init__(self, folder: Path, guardian: Guardian, *, users: int) -> None:
        self.folder = folder
        self._guardian = guardian
        self.postgres = EmbeddedPostgres(folder / "postgres", guardian=guardian)
        self.temporal = TemporalDevServer(
            folder / "temporal", persistent=True, durable=False, guardian=guardian
        )
        self._key = base64.b64encode(secrets.token_bytes(32)).decode()
        self._workers = 0
        self.sandbox_url = ""
        self._users = users

    def start(self) -> None:
        """Start the three servers and migrate the database."""
        self.temporal.launch()
        self.sandbox = self._start_sandbox()
        self.postgres.start()
        self.temporal.await_ready()
        url = f"{self.sandbox_url}/_control/health"
        wait_until_ready(self.sandbox, lambda: answers_ok(url), _READY_SECONDS)

    @property
    def database_url(self) -> Secret:
        """PostgreSQL's address."""
        return Secret(self.postgres.dsn)

    @property
    def encryption_keys(self) -> dict[str, Secret]:
        """The vault's ring."""
        return {"bench": Secret(self._key)}

    @property
    def pids(self) -> dict[str, int]:
        """The servers' processes."""
        return {
            "sandbox": self.sandbox.pid,
            "PostgreSQL": self.postgres.child.pid,
            "Temporal": self.temporal.child.pid,
        }

    @property
    def environment(self) -> dict[str, str]:
        """What a process of the service reads."""
        return plain_environment() | {
            "DATABASE_URL": self.postgres.dsn,
            "TEMPORAL_ADDRESS": self.temporal.address,
            "TEMPORAL_NAMESPACE": NAMESPACE,
            "CALENDLY_CLIENT_ID": "sandbox-client",
            "CALENDLY_CLIENT_SECRET": "sandbox-secret",
            "CALENDLY_WEBHOOK_SIGNING_KEY": "sandbox-signing-key",
            "CALENDLY_AUTH_URL": self.sandbox_url,
            "CALENDLY_API_URL": self.sandbox_url,
            "CRON_SECRET": secrets.token_hex(16),
            "TOKEN_ENCRYPTION_KEYS": f"bench:{self._key}",
            "PUBLIC_URL": "http://localhost:8000",
            # As fast as it can: unthrottled, as the loop beside it is.
            "REFRESH_RATE": "0",
        }

    @contextmanager
    def worker(self, **variables: str) -> Iterator[Child]:
        """`slotkeeper worker`, polling, with these variables set; stopped at the end."""
        self._workers += 1
        ready = self.folder / f"worker-{self._workers}.ready"
        argv = [sys.executable, "-m", "adapters.cli", "worker", "--ready-file", str(ready)]
        child = self._spawn(f"worker-{self._workers}", argv, self.environment | variables)
        try:
            wait_until_ready(child, ready.exists, _READY_SECONDS)
            yield child
        finally:
            child.stop()

    def _start_sandbox(self) -> Child:
        port = free_port()
        self.sandbox_url = f"http://{LOOPBACK}:{port}"
        argv = [sys.executable, "-m", "sandbox", "--port", str(port), "--users", str(self._users)]
        return self._spawn("sandbox", argv, plain_environment())

    def _spawn(self, name: str, argv: list[str], env: dict[str, str]) -> Child:
        log = self.folder / f"{name}.log"
        spec = ChildSpec(name=name, argv=argv, env=env, log=log, stage=3, cwd=_CODE)
        return self._guardian.spawn(spec)


@asynccontextmanager
async def open_stage(*, users: int) -> AsyncIterator[Stage]:
    """Start a stage with so many users at its Calendly; at the end nothing of it is left."""
    folder = Path(tempfile.mkdtemp(prefix="slotkeeper-bench-", dir=os.environ.get("TMPDIR")))
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder)
        guardian = stack.enter_context(Guardian(folder / "guardian.log"))
        stage = Stage(folder, guardian, users=users)
        await asyncio.to_thread(stage.start)
        await migrate(stage.database_url)
        yield stage
