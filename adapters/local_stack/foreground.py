"""A stack as a program in the foreground: it tells how it comes up, runs, stops when asked.

Only for the main thread of a process of its own: it takes the process's signals.
"""

import os
import time

from rich.console import Console

from adapters.local_stack.announcement import announce
from adapters.local_stack.configuration.config import StackConfig
from adapters.local_stack.processes.interruption import StopRequested, raise_on_signals
from adapters.local_stack.stack import LocalStack

_WATCH_SECONDS = 0.25


def run_in_foreground(config: StackConfig, parent: int | None = None) -> None:
    """Return after Ctrl-C or SIGTERM, or when the process *parent* is no longer ours.

    Raises `LocalStackError` when the stack does not start or one of its children ends. Either
    way no process is left.
    """
    raise_on_signals()
    console = Console(highlight=False)
    stack = LocalStack(config, on_progress=_Progress(console))
    try:
        announce(console, stack.start(), stack.replaced_ports)
        _watch(stack, parent)
    except StopRequested:
        console.print("Stopping …")
    finally:
        stack.stop()
    console.print("Stopped.")


class _Progress:
    """Prints the name of each part with the seconds since the beginning."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._started_at = time.monotonic()

    def __call__(self, part: str) -> None:
        seconds = time.monotonic() - self._started_at
        self._console.print(f"{seconds:5.1f} s  {part} ready", style="dim")


def _watch(stack: LocalStack, parent: int | None) -> None:
    """Never return: raise what ends the stack."""
    while True:
        stack.raise_if_a_child_ended()
        if parent is not None and os.getppid() != parent:
            raise StopRequested
        time.sleep(_WATCH_SECONDS)
