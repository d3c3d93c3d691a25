"""A program to run (`ChildSpec`) and that program running (`Child`).

A spec's environment and arguments may hold secrets: they are never shown.
"""

import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from adapters.local_stack.errors import ChildDiedError


@dataclass(frozen=True, slots=True)
class OsUser:
    """Whom a child runs as; numbers of the operating system."""

    uid: int
    gid: int


@dataclass(frozen=True, slots=True)
class ChildSpec:
    """What to run, and how to end it.

    Children of a higher *stage* are stopped first, those of one stage together. A child that
    has not ended *grace_seconds* after *stop_signal* is killed. Its output goes to *log*,
    standard output to *stdout* if given; it reads *stdin*, or nothing.
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


class Exits(Protocol):
    """Where a child's end becomes known."""

    def exit_status(self, child_id: int) -> int | None:
        """None while it runs; negative: the signal that ended it."""

    def stop(self, child_id: int) -> int:
        """End it and everything in its process group; the exit status."""


@dataclass(frozen=True, slots=True)
class Child:
    """A started program; `pid` is also its process group and its session."""

    spec: ChildSpec
    pid: int
    child_id: int
    exits: Exits = field(repr=False)

    def exit_status(self) -> int | None:
        """None while it runs; negative: the signal that ended it."""
        return self.exits.exit_status(self.child_id)

    def stop(self) -> int:
        """End it and everything in its process group; the exit status."""
        return self.exits.stop(self.child_id)

    def raise_if_ended(self) -> None:
        """Raises `ChildDiedError`, which shows the end of its log."""
        status = self.exit_status()
        if status is not None:
            raise ChildDiedError(self.spec.name, self.spec.log, status)
