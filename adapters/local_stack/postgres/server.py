"""An embedded PostgreSQL, reached over TCP on the loopback interface with a password.

TCP, not a Unix socket, whose path can be too long, and which some clients cannot use.
"""

import signal
from pathlib import Path

from adapters.local_stack.postgres.cluster import (
    DATABASE,
    ROLE,
    ClusterLayout,
    ensure_cluster,
    postgres_programs,
)
from adapters.local_stack.postgres.os_user import hand_over, postgres_user
from adapters.local_stack.processes.embedded_server import EmbeddedServer
from adapters.local_stack.processes.environment import plain_environment
from adapters.local_stack.processes.ports import LOOPBACK, Port
from adapters.local_stack.processes.supervisor import Child, ChildSpec, Supervisor

_SETTINGS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # DETAIL lines quote rows, and rows hold personal data.
    "log_error_verbosity": "terse",
}
_NOT_DURABLE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class EmbeddedPostgres(EmbeddedServer):
    """A PostgreSQL server whose data, password and (by default) `postgres.log` are in *home*.

    Unless they are given, the port is a free one and the supervisor its own. A server that is not
    *durable* syncs nothing to disk: for tests only.
    """

    def __init__(
        self,
        home: Path,
        *,
        port: Port | None = None,
        durable: bool = True,
        supervisor: Supervisor | None = None,
        log: Path | None = None,
    ) -> None:
        home = home.resolve()
        self._layout = ClusterLayout(home, log or home / "postgres.log")
        self.port = port or Port("postgres")
        super().__init__(home, self._layout.log, supervisor, [self.port])
        self.created = False
        self._durable = durable

    @property
    def address(self) -> str:
        return self.dsn

    @property
    def dsn(self) -> str:
        """The address of the database `slotkeeper`. Holds the password: not for a log."""
        return self.dsn_of(DATABASE)

    def dsn_of(self, database: str) -> str:
        """The address of another database of this server; it need not exist yet."""
        password = self._layout.password_file.read_text()
        return f"postgresql://{ROLE}:{password}@{LOOPBACK}:{self.port.number}/{database}"

    @property
    def programs(self) -> Path:
        """The folder of psql, pg_dump and pgbench."""
        return postgres_programs(self._layout.data)

    def _prepare(self, supervisor: Supervisor) -> ChildSpec:
        self.created = ensure_cluster(self._layout, supervisor, durable=self._durable)
        data, programs = self._layout.data, self.programs
        user = postgres_user(data)
        if user is not None:
            hand_over(data, user, programs)
        return ChildSpec(
            name="postgres",
            argv=[str(programs / "postgres"), "-D", str(data), *self._options()],
            env=plain_environment(),
            log=self.log,
            # "Fast shutdown"; SIGTERM would wait for every client to leave.
            stop_signal=signal.SIGINT,
            grace_seconds=30.0,
            cwd=data,
            user=user,
        )

    def _options(self) -> list[str]:
        settings = _SETTINGS | {"port": str(self.port.number)}
        if not self._durable:
            settings |= _NOT_DURABLE
        return [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]

    def _is_ready(self, child: Child) -> bool:
        """Read postmaster.pid: its first line is the server's process, its eighth the state."""
        try:
            lines = (self._layout.data / "postmaster.pid").read_text().split("\n")
        except FileNotFoundError:
            return False
        return lines[0] == str(child.pid) and lines[7:8] == ["ready   "]
