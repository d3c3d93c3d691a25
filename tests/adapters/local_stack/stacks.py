"""Stacks for the tests: real PostgreSQL and Temporal, stand-ins for the rest."""

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import psutil

from adapters.local_stack.configuration.config import FREE_PORTS, Programs, StackConfig
from adapters.local_stack.stack import LocalStack
from tests.adapters.local_stack import fake_programs

# Isolated and without site-packages: a stand-in starts in a few milliseconds.
_PYTHON = (sys.executable, "-I", "-S")


@contextmanager
def own_folder() -> Iterator[Path]:
    """An empty folder, removed afterwards.

    Not pytest's: as root, PostgreSQL runs as a user that must be able to pass through, and
    another pytest that starts meanwhile would close it again.
    """
    made = Path(tempfile.mkdtemp(prefix="slotkeeper-"))
    try:
        yield made
    finally:
        shutil.rmtree(made)


def copy_cluster(cluster: Path, to: Path) -> None:
    """Copy a stopped PostgreSQL cluster; its files keep their owner, who is not root."""
    subprocess.run(["cp", "-a", cluster, to], check=True)  # noqa: S607


@dataclass(frozen=True)
class TestStack:
    """A configuration on *home*, and what its stand-ins wrote down."""

    __test__ = False

    home: Path
    faults: str = ""

    @property
    def journal_file(self) -> Path:
        """Where the stand-ins write."""
        return self.home.parent / "journal"

    @property
    def config(self) -> StackConfig:
        """What to give to `LocalStack`."""
        program = (*_PYTHON, fake_programs.__file__, str(self.journal_file), self.faults)
        return StackConfig(
            home=self.home,
            ports=FREE_PORTS,
            programs=Programs((*program, "slotkeeper"), (*program, "sandbox")),
            durable=False,
            step_timeout_seconds=20.0,
        )

    def with_cluster(self, cluster: Path) -> "TestStack":
        """The same, with a copy of the PostgreSQL *cluster* in its home."""
        self.home.mkdir()
        copy_cluster(cluster, self.home / "postgres")
        return self

    def failing(self, faults: str) -> "TestStack":
        """The same with FAULTS as `fake_programs.py` takes them."""
        return replace(self, faults=faults)

    def journal(self) -> list[str]:
        """The lines written so far."""
        return self.journal_file.read_text().splitlines()


def watch(running: LocalStack) -> None:
    """Ask for five seconds whether all is well."""
    for _ in range(500):
        running.raise_if_a_child_ended()
        time.sleep(0.01)


def processes_in(folder: Path) -> list[psutil.Process]:
    """Every process whose command line names *folder*."""
    running = psutil.process_iter(["cmdline"])
    return [each for each in running if str(folder) in " ".join(each.info["cmdline"] or ())]
