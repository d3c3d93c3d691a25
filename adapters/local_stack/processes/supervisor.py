"""The stack's end of the supervisor: starts children through it and asks how they are.

No process of a stack may be started any other way: what the supervisor did not start, it
cannot stop when the stack is killed.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, Self

from adapters.local_stack.errors import NotStartedError, SupervisorLostError
from adapters.local_stack.processes import supervisor_process
from adapters.local_stack.processes.child import Child, ChildSpec


class Supervisor:
    """Use as a context manager; leaving it stops every child, highest stage first.

    *keep_open* is a file descriptor (a lock's) that stays open until every child has ended;
    *remove* a file that is gone by then, also when this process was killed.
    """

    def __init__(
        self, log: Path, keep_open: int | None = None, remove: Path | None = None
    ) -> None:
        self._log = log
        self._remove = () if remove is None else (str(remove),)
        self._kept_open = () if keep_open is None else (keep_open,)
        self._process: subprocess.Popen[bytes] | None = None
        self._turn = threading.Lock()
        self._exits: dict[int, int] = {}
        self._children: list[Child] = []

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def children(self) -> tuple[Child, ...]:
        """In the order they were started."""
        return tuple(self._children)

    def start(self) -> None:
        """Start the supervisor process; before it is up nothing can be spawned."""
        # Numbers of children begin again.
        self._exits, self._children = {}, []
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own script
                # Isolated and without site-packages: up in a few milliseconds.
                [sys.executable, "-I", "-S", supervisor_process.__file__, *self._remove],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                pass_fds=self._kept_open,
                start_new_session=True,
            )

    def spawn(self, spec: ChildSpec) -> Child:
        """Start *spec*. Raises `NotStartedError` when the program cannot be run at all."""
        answer = self._ask(_spawn_request(spec))
        if "error" in answer:
            raise NotStartedError(spec.name, answer["error"])
        child = Child(spec, answer["pid"], answer["id"], self)
        self._children.append(child)
        return child

    def exit_status(self, child_id: int) -> int | None:
        """None while it runs; negative: the signal that ended it."""
        if child_id not in self._exits:
            self._learn(self._ask({"do": "poll"}))
        return self._exits.get(child_id)

    def stop(self, child_id: int) -> int:
        """End one child and everything in its process group; the exit status."""
        self._learn(self._ask({"do": "stop", "id": child_id}))
        return self._exits[child_id]

    def close(self) -> None:
        """Stop every child and the supervisor; returns when none is left. Safe to repeat."""
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
        with self._turn, contextlib.suppress(BrokenPipeError):
            process.stdin.write(json.dumps(request).encode() + b"\n")
            process.stdin.flush()
            if line := process.stdout.readline():
                answer: dict[str, Any] = json.loads(line)
                return answer
        raise SupervisorLostError

    def _learn(self, answer: dict[str, Any]) -> None:
        self._exits.update(dict(answer["exits"]))

    def _kill_orphans(self) -> None:
        """What a killed supervisor left behind, last started first.

        A child leads its own session; a stranger that was given the same id would hardly.
        """
        for child in reversed(self._children):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                if child.child_id not in self._exits and os.getsid(child.pid) == child.pid:
                    os.killpg(child.pid, signal.SIGKILL)


def _spawn_request(spec: ChildSpec) -> dict[str, Any]:
    return {
        "do": "spawn",
        "argv": list(spec.argv),
        "env": dict(spec.env),
        "log": str(spec.log),
        "stdin": str(spec.stdin or os.devnull),
        "stdout": str(spec.stdout) if spec.stdout else None,
        "cwd": str(spec.cwd) if spec.cwd else None,
        "stage": spec.stage,
        "stop_signal": int(spec.stop_signal),
        "grace_seconds": spec.grace_seconds,
        "user": spec.user.uid if spec.user else None,
        "group": spec.user.gid if spec.user else None,
    }
