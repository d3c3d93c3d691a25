import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from tests.adapters.local_stack import run_stack
from tests.adapters.local_stack.stacks import TestStack

REPOSITORY = Path(__file__).parents[3]


def run_stack_command(stack: TestStack) -> list[str]:
    return [sys.executable, run_stack.__file__, str(stack.home), stack.faults]


class Foreground:
    """A stack in the foreground of a process of its own."""

    def __init__(self, stack: TestStack, *command: str) -> None:
        self.stack = stack
        self.process = subprocess.Popen(
            command or run_stack_command(stack),
            env=os.environ | {"PYTHONPATH": str(REPOSITORY), "COLUMNS": "100"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.printed: list[str] = []

    def await_line(self, part: str) -> None:
        """Read what it prints up to a line with *part*."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.printed.append(line)
            if part in line:
                return
        _, errors = self.process.communicate()
        pytest.fail(f"ended without printing {part!r}; it said: {errors}")

    def processes(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def end(self) -> tuple[str, str]:
        """Wait for it; all it printed, and its error output."""
        out, err = self.process.communicate(timeout=60)
        return "".join(self.printed) + out, err


def await_zombie(pid: int) -> None:
    """Return once the child *pid* has ended, without reaping it."""
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)


@contextmanager
def in_foreground(stack: TestStack) -> Iterator[Foreground]:
    """A stack that is coming up; killed afterwards if it still runs."""
    started = Foreground(stack)
    try:
        yield started
    finally:
        started.process.kill()
        started.process.communicate()


@pytest.fixture
def foreground(stack: TestStack) -> Iterator[Foreground]:
    """A stack that is coming up; killed afterwards if it still runs."""
    with in_foreground(stack) as started:
        yield started


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_everything(foreground: Foreground, number: signal.Signals) -> None:
    """Ctrl-C and SIGTERM stop every process, with status 0."""
    foreground.await_line("Ctrl-C stops everything")
    processes = foreground.processes()
    foreground.process.send_signal(number)
    printed, _ = foreground.end()

    assert foreground.process.returncode == 0
    assert printed.endswith("Stopped.\n")
    assert len(processes) >= 6
    assert [process for process in processes if process.is_running()] == []


def test_a_signal_while_starting_stops_everything(foreground: Foreground) -> None:
    """A stack that is stopped half way up leaves no process either."""
    foreground.await_line("PostgreSQL ready")
    processes = foreground.processes()
    foreground.process.send_signal(signal.SIGTERM)
    foreground.end()

    assert [process for process in processes if process.is_running()] == []


def test_a_killed_stack_leaves_no_process(foreground: Foreground) -> None:
    """When the stack's own process is killed, all the others end by themselves, in order."""
    foreground.await_line("Ctrl-C stops everything")
    processes = foreground.processes()
    foreground.process.kill()

    assert psutil.wait_procs(processes, timeout=30)[1] == []
    stops = [line for line in foreground.stack.journal() if "asked to stop" in line]
    assert stops[2:] == ["sandbox asked to stop, with "]
    assert not (foreground.stack.home / "stack.json").exists()


def test_a_home_is_free_again_after_a_kill(foreground: Foreground) -> None:
    """A stack starts right after its predecessor was killed, even before that is reaped."""
    foreground.await_line("Ctrl-C stops everything")
    foreground.process.kill()
    await_zombie(foreground.process.pid)
    with in_foreground(foreground.stack) as successor:
        successor.await_line("Ctrl-C stops everything")
        successor.process.send_signal(signal.SIGTERM)
        successor.end()

    assert successor.process.returncode == 0


def test_a_part_that_dies_stops_the_stack(foreground: Foreground) -> None:
    """When a part dies the stack stops with a non-zero status and names the part and cause."""
    foreground.await_line("Ctrl-C stops everything")
    processes = foreground.processes()
    worker = next(p for p in processes if "worker" in p.cmdline())
    worker.kill()
    _, errors = foreground.end()

    assert foreground.process.returncode != 0
    assert "worker was ended by signal 9" in errors
    assert [process for process in processes if process.is_running()] == []


def test_the_table_has_every_address(foreground: Foreground) -> None:
    """The table gives every address and the key, and a request that can be pasted."""
    foreground.await_line("Ctrl-C stops everything")
    foreground.process.send_signal(signal.SIGTERM)
    printed, _ = foreground.end()

    for label in (
        "web page",
        "API docs",
        "Temporal UI",
        "sandbox Calendly",
        "worker metrics",
        "API key",
    ):
        assert label in printed
    begin, confirm = (line for line in printed.splitlines() if "curl" in line)
    assert "-H 'X-User-Id: demo'" in begin
    assert begin.endswith("/api/calendly/connect?return_to=/'")
    assert confirm.endswith("/api/calendly/connect/confirm")


def test_a_stack_can_end_with_its_starter(stack: TestStack) -> None:
    """With `--stop-with-parent` a stack stops when the program that started it is killed."""
    command = [*run_stack_command(stack), "--stop-with-parent"]
    starter = Foreground(stack, sys.executable, "-c", f"import subprocess as s; s.run({command})")
    starter.await_line("Ctrl-C stops everything")
    processes = starter.processes()
    starter.process.kill()

    assert psutil.wait_procs(processes, timeout=30)[1] == []
    starter.end()
