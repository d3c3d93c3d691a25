"""Programs to run, programs that run, and the process that starts and stops all of them.

Every process of a stack is started through its supervisor. The supervisor stops them also when
the stack is killed, and it cannot stop a process that it did not start.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

from adapters.local_stack.errors import ChildDiedError, NotStartedError, SupervisorLostError
from adapters.local_stack.processes import supervisor_process


@dataclass(frozen=True, slots=True)
class OsUser:
    """The user that a child runs as; numbers of the operating system."""

    uid: int
    gid: int


@dataclass(frozen=True, slots=True)
class ChildSpec:
    """A program to run, and how to stop it.

    `argv` and `env` may hold secrets, so they are not in the repr.

    Args:
        log: gets standard error, and standard output if *stdout* is None.
        stage: children of a higher stage are stopped first, those of one stage together.
        grace_seconds: a child that still runs so long after *stop_signal* is killed.
        stdin: what the child reads; None is nothing.
        pass_fds: descriptors that the supervisor inherited, for the child alone from now on.

    """

    name: str
    argv: Sequence[str] = field(repr=False)
    env: Mapping[str, str] = field(repr=False)
    log: Path
    stage: int = 0
    stop_signal: signal.Signals = signal.SIGTERM
    grace_seconds: float = 10.0
    cwd: Path | None = None
    stdin: Path | None = None
    stdout: Path | None = None
    user: OsUser | None = None
    pass_fds: Sequence[int] = ()


class Supervisor:
    """Starts children; as a context manager it stops them at the end, highest stage first.

    Args:
        log: gets what the supervisor's own process complains about.
        pass_fds: file descriptors that stay open until every child has ended (a lock's), or until
            a child gets them (a listening socket's).
        remove: a file that is removed by then, also when this process was killed.

    """

    def __init__(
        self, log: Path, pass_fds: Sequence[int] = (), remove: Path | None = None
    ) -> None:
        self._log = log
        self._remove = () if remove is None else (str(remove),)
        self._pass_fds = pass_fds
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self._exits: dict[int, int] = {}
        self._children: list[Child] = []

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self) -> None:
        """Start the supervisor's process, which has to run before the first `spawn`."""
        # Numbers of children begin again.
        self._exits, self._children = {}, []
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own script
                # Isolated and without site-packages: up in a few milliseconds.
                [sys.executable, "-I", "-S", supervisor_process.__file__, *self._remove],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                pass_fds=self._pass_fds,
                start_new_session=True,
            )

    def spawn(self, spec: ChildSpec) -> "Child":
        """Start a program. Raises `NotStartedError` when it cannot be run at all."""
        answer = self._ask({"do": "spawn", **asdict(spec)})
        if "error" in answer:
            raise NotStartedError(spec.name, answer["error"])
        child = Child(spec, answer["pid"], answer["id"], self)
        self._children.append(child)
        return child

    def exit_status(self, child_id: int) -> int | None:
        """None while the child runs; negative: the signal that ended it."""
        if child_id not in self._exits:
            self._learn(self._ask({"do": "poll"}))
        return self._exits.get(child_id)

    def stop(self, child_id: int) -> int:
        """End one child and everything in its process group; return the exit status."""
        self._learn(self._ask({"do": "stop", "id": child_id}))
        return self._exits[child_id]

    def close(self) -> None:
        """Stop every child, then the supervisor's process. Safe to repeat."""
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(BrokenPipeError):
            process.communicate()
        if process.returncode != 0:
            self._kill_orphans()

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        process = self._process
        if process is None or process.stdin is None or process.stdout is None:
            raise SupervisorLostError
        with self._lock, contextlib.suppress(BrokenPipeError):
            process.stdin.write(json.dumps(request, default=str).encode() + b"\n")
            process.stdin.flush()
            if line := process.stdout.readline():
                answer: dict[str, Any] = json.loads(line)
                return answer
        raise SupervisorLostError

    def _learn(self, answer: dict[str, Any]) -> None:
        self._exits.update(dict(answer["exits"]))

    def _kill_orphans(self) -> None:
        """Kill the children of a killed supervisor, last started first.

        A child leads its own session. Another process with a reused id hardly does.
        """
        for child in reversed(self._children):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                if child.child_id not in self._exits and os.getsid(child.pid) == child.pid:
                    os.killpg(child.pid, signal.SIGKILL)


@dataclass(frozen=True, slots=True)
class Child:
    """A started program; `pid` is also its process group and its session."""

    spec: ChildSpec
    pid: int
    child_id: int
    supervisor: Supervisor = field(repr=False)

    def exit_status(self) -> int | None:
        """None while it runs; negative: the signal that ended it."""
        return self.supervisor.exit_status(self.child_id)

    def stop(self) -> int:
        """End it and everything in its process group; return the exit status."""
        return self.supervisor.stop(self.child_id)

    def raise_if_ended(self) -> None:
        """Raises `ChildDiedError`, which shows the end of its log."""
        status = self.exit_status()
        if status is not None:
            raise ChildDiedError(self.spec.name, self.spec.log, status)
