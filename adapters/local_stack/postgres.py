"""An embedded PostgreSQL, reached over TCP on the loopback interface with a password.

TCP, not a Unix socket, so that no path can be too long and any client can look in.
"""

import signal
from pathlib import Path
from typing import Self

from adapters.local_stack.child import Child, ChildSpec
from adapters.local_stack.environment import plain_environment
from adapters.local_stack.guardian import Guardian
from adapters.local_stack.ports import LOOPBACK, free_port
from adapters.local_stack.postgres_cluster import DATABASE, ROLE, ClusterLayout, ensure_cluster
from adapters.local_stack.postgres_install import postgres_programs
from adapters.local_stack.postgres_user import hand_over, postgres_user
from adapters.local_stack.waiting import wait_until_ready

_START_SECONDS = 60.0
_SETTINGS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # DETAIL lines quote rows, and rows hold what must not be in a log.
    "log_error_verbosity": "terse",
}
_FORGETFUL = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class EmbeddedPostgres:
    """A server whose data, password and (unless *log* says otherwise) log live in *home*.

    *port* 0 takes a free one. Without *durable* nothing is synced to disk: for tests only.
    Without *guardian* it brings its own, so that killing the starter leaves no server.
    """

    def __init__(
        self,
        home: Path,
        *,
        port: int = 0,
        durable: bool = True,
        guardian: Guardian | None = None,
        log: Path | None = None,
    ) -> None:
        home = home.resolve()
        self.port = port
        self.created = False
        self._layout = ClusterLayout(home, log or home / "postgres.log")
        self._durable = durable
        self._own_guardian = Guardian(self._layout.log) if guardian is None else None
        self._guardian = guardian or self._own_guardian
        self._server: Child | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def dsn(self) -> str:
        """Of the database `slotkeeper`, as its owner. Holds the password: not for a log."""
        return self.dsn_of(DATABASE)

    def dsn_of(self, database: str) -> str:
        password = self._layout.password_file.read_text()
        return f"postgresql://{ROLE}:{password}@{LOOPBACK}:{self.port}/{database}"

    @property
    def programs(self) -> Path:
        """The folder of psql, pg_dump and pgbench."""
        return postgres_programs(self._layout.data)

    def start(self) -> str:
        """Start it, on first use make its cluster; the DSN.

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
        self._layout.home.mkdir(parents=True, exist_ok=True)
        if self._own_guardian is not None:
            self._own_guardian.start()
        assert self._guardian is not None
        self.created = ensure_cluster(self._layout, self._guardian, durable=self._durable)
        self.port = self.port or free_port()
        self._server = self._guardian.spawn(self._spec())

    def await_ready(self) -> str:
        """The second half of `start`."""
        assert self._server is not None, "launch comes first"
        wait_until_ready(self._server, self._accepts_clients, _START_SECONDS)
        return self.dsn

    def stop(self) -> None:
        """Disconnect its clients, write everything, end. Safe to repeat."""
        server, self._server = self._server, None
        if self._own_guardian is not None:
            self._own_guardian.close()
        elif server is not None:
            server.stop()

    def _spec(self) -> ChildSpec:
        data, programs = self._layout.data, self.programs
        user = postgres_user(data)
        if user is not None:
            hand_over(data, user, programs)
        settings = _SETTINGS if self._durable else _SETTINGS | _FORGETFUL
        flags = (flag for name, value in settings.items() for flag in ("-c", f"{name}={value}"))
        return ChildSpec(
            name="postgres",
            argv=[str(programs / "postgres"), "-D", str(data), "-p", str(self.port), *flags],
            env=plain_environment(),
            log=self._layout.log,
            # "Fast shutdown"; SIGTERM would wait for every client to leave.
            stop_signal=signal.SIGINT,
            grace_seconds=30.0,
            cwd=data,
            user=user,
        )

    def _accepts_clients(self) -> bool:
        """Whether the server says so in its postmaster.pid: line 1 its id, line 8 its state."""
        assert self._server is not None
        try:
            lines = (self._layout.data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        return len(lines) >= 8 and lines[0] == str(self._server.pid) and "ready" in lines[7]
