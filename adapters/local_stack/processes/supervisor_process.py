"""The supervisor: the parent of every process of a stack, run as a script of its own.

It reads requests, one JSON object a line, from standard input and answers each on standard
output. When its input ends, because the stack closed it or was killed, it stops every child,
highest stage first, removes the files named on its command line, and ends. So an orderly stop
and a `kill -9` of the stack take one path.

It may import nothing but the standard library: it runs isolated (`python -I -S`), and must
be up before, and outlive, everything else. Being the children's parent it reaps them itself,
so a process id it knows cannot have been given to a stranger.
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
        with contextlib.ExitStack() as files:
            log = files.enter_context(Path(request["log"]).open("ab", buffering=0))
            out = log
            if request["stdout"]:
                out = files.enter_context(Path(request["stdout"]).open("wb", buffering=0))
            self.process = subprocess.Popen(  # noqa: S603 - the stack says what to run
                request["argv"],
                stdin=files.enter_context(Path(request["stdin"]).open("rb")),
                stdout=out,
                stderr=log,
                cwd=request["cwd"],
                env=request["env"],
                user=request["user"],
                group=request["group"],
                extra_groups=[] if request["user"] is not None else None,
                pass_fds=request["pass_fds"],
                start_new_session=True,
            )
        for descriptor in request["pass_fds"]:
            # A socket that stays open here would accept connections after its server has ended.
            os.close(descriptor)

    def exit_status(self) -> int | None:
        """None while it runs. Whatever it left behind in its group ends with it."""
        seen_before = self.process.returncode is not None
        status = self.process.poll()
        if status is not None and not seen_before:
            self.signal_group(signal.SIGKILL)
        return status

    def signal_group(self, number: int) -> None:
        """To the child and everything it started, unless that is all gone."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, number)


def stop(children: Iterable[SupervisedChild]) -> None:
    """Ask all of them to end, wait as long as each may take, then end what is left."""
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
    """The children by number, in the order they were started."""

    def __init__(self) -> None:
        self._children: list[SupervisedChild] = []

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """To "spawn": the child's number and id, or an error; to all else: who has ended."""
        match request["do"]:
            case "spawn":
                return self._spawn(request)
            case "stop":
                stop([self._children[request["id"]]])
                return self._exits()
            case _:
                return self._exits()

    def stop_all(self) -> None:
        """Stop every child; returns when none is left."""
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
    """Serve requests until there can be no more, then leave nothing behind."""
    # Its life hangs on its input alone: a signal meant for the terminal's or the service's
    # whole group must not take it away while children are left. Not SIG_IGN, which the
    # children would inherit.
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
        # The stack may be gone: nobody is left to read, and a failing flush at exit is noise.
        os._exit(0)


if __name__ == "__main__":
    main()
