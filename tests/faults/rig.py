"""The real parts of a scenario: PostgreSQL, the sandbox Calendly, and processes that may die.

Everything is started through one supervisor, so nothing outlives the scenario, however it ends.
"""

import asyncio
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from adapters.local_stack.postgres.server import EmbeddedPostgres
from adapters.local_stack.processes.environment import plain_environment
from adapters.local_stack.processes.ports import LOOPBACK
from adapters.local_stack.processes.supervisor import Child, ChildSpec, Supervisor
from adapters.local_stack.processes.waiting import (
    wait_until_done,
    wait_until_ready,
    wait_until_serving,
)
from adapters.persistence.bulkheads import Bulkhead
from adapters.persistence.migrate import migrate
from adapters.persistence.storage import PiccoloStorage, open_storage
from adapters.security.vault import KeyRingVault
from adapters.settings import load_settings
from domain.secret import Secret
from tests.adapters.sound_environ import SOUND
from tests.faults.calendly import Calendly, open_calendly

T = TypeVar("T")

_PROJECT = Path(__file__).parents[2]
_START_SECONDS = 60.0


@dataclass(frozen=True, kw_only=True)
class Rig:
    """The servers and processes of a scenario; `environ` is the processes' environment."""

    folder: Path
    supervisor: Supervisor
    postgres: EmbeddedPostgres
    calendly: Calendly
    vault: KeyRingVault
    storage: PiccoloStorage
    environ: dict[str, str] = field(repr=False)
    count: Iterator[int]

    def run(self, module: str, *arguments: str, **environ: str) -> "Running":
        """Start `python -m module` with the service's environment and `environ` on top."""
        out = self.folder / f"{module}.{next(self.count)}"
        spec = ChildSpec(
            name=module,
            argv=[sys.executable, "-m", module, *arguments],
            env=plain_environment() | self.environ | environ,
            log=out.with_name(out.name + ".log"),
            stdout=out,
            stage=3,
            grace_seconds=20.0,
            cwd=_PROJECT,
        )
        return Running(self.supervisor.spawn(spec), out)

    async def crash_postgres(self) -> None:
        """End PostgreSQL without a word to its clients; `postgres.start` repairs it."""
        os.kill(self.postgres.child.pid, signal.SIGQUIT)
        await asyncio.to_thread(self.postgres.stop)


@dataclass(frozen=True)
class Running:
    """A process of the scenario, and the file that its output goes to."""

    child: Child
    out: Path

    def lines(self) -> list[str]:
        """Return the whole lines that it wrote so far."""
        return self.out.read_text().split("\n")[:-1]

    async def says(self, count: int = 1, *, within: float = _START_SECONDS) -> None:
        """Wait until it has written so many lines. Raises LocalStackError when it ends first."""
        await asyncio.to_thread(
            wait_until_ready, self.child, lambda: len(self.lines()) >= count, within
        )

    async def serves(self, path: str) -> int:
        """Wait until it answers at a port of its own, and return the port."""
        return await asyncio.to_thread(wait_until_serving, self.child, path, _START_SECONDS)

    async def done(self, *, within: float) -> str:
        """Wait until it ended well, and return its last line."""
        await asyncio.to_thread(wait_until_done, self.child, within)
        return self.lines()[-1]

    async def stop(self) -> None:
        """End it in good order."""
        await asyncio.to_thread(self.child.stop)

    async def kill(self) -> None:
        """`kill -9`, and wait until it is gone."""
        os.kill(self.child.pid, signal.SIGKILL)
        await eventually(lambda: self.child.exit_status() is not None, within=10)


async def eventually(
    happened: Callable[[], bool | Awaitable[bool]], *, within: float, every: float = 0.02
) -> bool:
    """Return whether it happened within so many seconds."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + within
    while True:
        seen = happened()
        if seen if isinstance(seen, bool) else await seen:
            return True
        if loop.time() >= deadline:
            return False
        await asyncio.sleep(every)


@asynccontextmanager
async def open_rig(
    *, users: int, settings: Mapping[str, str] | None = None, durable: bool = False
) -> AsyncIterator[Rig]:
    """Start PostgreSQL, migrated, and a sandbox with so many users beside the named ones.

    Args:
        users: of the sandbox.
        settings: variables of the service's processes, beside what they need to run.
        durable: what PostgreSQL has committed survives its being killed.

    """
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(_folder())
        supervisor = stack.enter_context(Supervisor(folder / "supervisor.log"))
        postgres = EmbeddedPostgres(folder / "postgres", durable=durable, supervisor=supervisor)
        sandbox = _launch_sandbox(folder, supervisor, users)
        await asyncio.to_thread(postgres.start)
        await migrate(Secret(postgres.dsn))
        url = await asyncio.to_thread(_await_sandbox, sandbox)
        environ = _environ(postgres, url) | dict(settings or {})
        loaded = load_settings(environ)
        vault = KeyRingVault(loaded.token_encryption_keys)
        yield Rig(
            folder=folder,
            supervisor=supervisor,
            postgres=postgres,
            calendly=await stack.enter_async_context(open_calendly(url)),
            vault=vault,
            storage=await stack.enter_async_context(
                open_storage(loaded.database_url, vault, Bulkhead(size=4), min_size=0)
            ),
            environ=environ,
            count=iter(range(10**9)),
        )


@contextmanager
def _folder() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="slotkeeper-faults-"))
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _launch_sandbox(folder: Path, supervisor: Supervisor, users: int) -> Child:
    spec = ChildSpec(
        name="sandbox",
        argv=[sys.executable, "-m", "sandbox", "--port", "0", "--users", str(users)],
        env=plain_environment(),
        log=folder / "sandbox.log",
        stage=2,
        # It keeps nothing, and what it holds back on purpose need not be waited for.
        stop_signal=signal.SIGKILL,
        cwd=_PROJECT,
    )
    return supervisor.spawn(spec)


def _await_sandbox(child: Child) -> str:
    port = wait_until_serving(child, "/_control/health", _START_SECONDS)
    return f"http://{LOOPBACK}:{port}"


def _environ(postgres: EmbeddedPostgres, sandbox_url: str) -> dict[str, str]:
    return {
        **SOUND,
        "DATABASE_URL": postgres.dsn,
        "CALENDLY_CLIENT_ID": "sandbox-client",
        "CALENDLY_CLIENT_SECRET": "sandbox-secret",
        "CALENDLY_AUTH_URL": sandbox_url,
        "CALENDLY_API_URL": sandbox_url,
        # No server listens there, unless a scenario starts one.
        "TEMPORAL_ADDRESS": f"{LOOPBACK}:9",
    }
