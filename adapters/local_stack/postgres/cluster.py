"""Making a PostgreSQL cluster with its role and database, once, whole or not at all.

It is made in a folder beside its final one and renamed when complete, so that a cluster that
exists is a cluster that works, whatever was killed when.
"""

import os
import secrets
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from adapters.local_stack.postgres.binaries import postgres_programs
from adapters.local_stack.postgres.os_user import hand_over, postgres_user
from adapters.local_stack.processes.environment import plain_environment
from adapters.local_stack.processes.private_file import write_private
from adapters.local_stack.processes.supervisor import ChildSpec, Supervisor
from adapters.local_stack.processes.waiting import wait_until_done

ROLE = "slotkeeper"
DATABASE = "slotkeeper"

_STEP_SECONDS = 120.0
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
        """Holds the password of the role `slotkeeper`."""
        return self.home / "password"


def ensure_cluster(layout: ClusterLayout, supervisor: Supervisor, *, durable: bool) -> bool:
    """Whether the cluster had to be made. Raises `LocalStackError` if it cannot be."""
    if layout.data.exists():
        return False
    layout.home.mkdir(parents=True, exist_ok=True)
    making = layout.home / "data.making"
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir(mode=0o700)
    write_private(layout.password_file, secrets.token_urlsafe(24))
    _Making(layout, making, supervisor).run(durable=durable)
    making.rename(layout.data)
    return True


class _Making:
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
            self._step("initdb", options if durable else [*options, "--no-sync"])
            self._write(script, f"CREATE DATABASE {DATABASE};\n")
            self._step("postgres", ["--single", "-D", str(self._data), "postgres"], script)
        finally:
            script.unlink(missing_ok=True)

    def _write(self, script: Path, text: str) -> None:
        write_private(script, text)
        if self._user is not None:
            os.chown(script, self._user.uid, self._user.gid)

    def _step(self, program: str, options: Sequence[str], stdin: Path | None = None) -> None:
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
