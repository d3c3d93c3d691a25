"""The parent of every process of a stack, run as a script of its own.

It reads requests, one JSON object a line, from standard input and answers each on standard
output. Its input ends when the stack closes it or is killed. Then it stops every child, highest
stage first, removes the files named on its command line, and ends. So an orderly stop and a
`kill -9` of the stack take one path.

It imports the standard library only: it runs isolated (`python -I -S`), starts before
everything else and ends after it. As the children's parent it reaps them itself, so the system
cannot reuse a process id that it knows.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

_POLL_SECONDS = 0.01


class SupervisedChild:
    """One child, leader of its own session and process group."""

    def __init__(self, request: dict[str, Any]) -> None:
        self.stage: int = request["stage"]
        self.stop_signal: int = request["stop_signal"]
        self.grace_seconds: float = request["grace_seconds"]
        user = request["user"] or {"uid": None, "gid": None}
        with contextlib.ExitStack() as files:
            log = files.enter_context(Path(request["log"]).open("ab", buffering=0))
            out = log
            if request["stdout"]:
                out = files.enter_context(Path(request["stdout"]).open("wb", buffering=0))
            self.process = subprocess.Popen(  # noqa: S603 - the stack says what to run
                request["argv"],
                stdin=files.enter_context(Path(request["stdin"] or os.devnull).open("rb")),
                stdout=out,
                stderr=log,
                cwd=request["cwd"],
                env=request["env"],
                user=user["uid"],
                group=user["gid"],
                extra_groups=[] if request["user"] else None,
                pass_fds=request["pass_fds"],
                start_new_session=True,
            )
        for descriptor in request["pass_fds"]:
            # Else the socket would accept connections after its server has ended.
            os.close(descriptor)

    def exit_status(self) -> int | None:
        """None while it runs. The other processes of its group end with it."""
        seen_before = self.process.returncode is not None
        status = self.process.poll()
        if status is not None and not seen_before:
            self.signal_group(signal.SIGKILL)
        return status

    def signal_group(self, number: int) -> None:
        """Signal the child and everything that it started."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, number)


def stop(children: Iterable[SupervisedChild]) -> None:
    """Ask all of them to end, then kill each that still runs after its grace."""
    running = [child for child in children if child.exit_status() is None]
    for child in running:
        child.signal_group(child.stop_signal)
    asked_at = time.monotonic()
    for child in running:
        deadline = asked_at + child.grace_seconds
        while child.exit_status() is None:
            if time.monotonic() >= deadline:
                child.signal_group(signal.SIGKILL)
            time.sleep(_POLL_SECONDS)


def stop_by_stage(children: Iterable[SupervisedChild]) -> None:
    """Stop the children of the highest stage together, then those of the next."""
    left = list(children)
    for stage in sorted({child.stage for child in left}, reverse=True):
        stop(child for child in left if child.stage == stage)


class Supervisor:
    def __init__(self) -> None:
        self._children: list[SupervisedChild] = []

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """For "spawn": the child's number and id, or an error; else: the exit statuses."""
        match request["do"]:
            case "spawn":
                return self._spawn(request)
            case "stop":
                stop([self._children[request["id"]]])
                return self._exits()
            case _:
                return self._exits()

    def stop_all(self) -> None:
        stop_by_stage(self._children)

    def _spawn(self, request: dict[str, Any]) -> dict[str, Any]:
        try:
            child = SupervisedChild(request)
        except (OSError, subprocess.SubprocessError) as error:
            return {"error": f"{type(error).__name__}: {error}"}
        self._children.append(child)
        return {"id": len(self._children) - 1, "pid": child.process.pid}

    def _exits(self) -> dict[str, Any]:
        statuses = ((i, child.exit_status()) for i, child in enumerate(self._children))
        return {"exits": [[i, status] for i, status in statuses if status is not None]}


def main() -> None:
    """Serve requests until the input ends, then stop everything."""
    # Only the end of its input ends it: a signal to the whole group of the terminal or the
    # service must not, while children run. Not SIG_IGN, which the children would inherit.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: None)
    supervisor = Supervisor()
    try:
        for line in sys.stdin.buffer:
            answer = json.dumps(supervisor.answer(json.loads(line)))
            with contextlib.suppress(BrokenPipeError):
                sys.stdout.buffer.write(answer.encode() + b"\n")
                sys.stdout.buffer.flush()
    finally:
        supervisor.stop_all()
        for file in sys.argv[1:]:
            Path(file).unlink(missing_ok=True)
        # The stack may have ended: a flush at exit would fail without a reader.
        os._exit(0)


if __name__ == "__main__":
    main()
