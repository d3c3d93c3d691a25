"""Stacks for the tests: real PostgreSQL and Temporal, fakes of our own programs."""

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

from adapters.local_stack.configuration.addresses import StackAddresses
from adapters.local_stack.configuration.config import FREE_PORTS, Programs, StackConfig
from adapters.local_stack.stack import LocalStack
from tests.adapters.local_stack import fake_programs

# Isolated and without site-packages: a fake program starts in a few milliseconds.
_PYTHON = (sys.executable, "-I", "-S")


@contextmanager
def own_folder() -> Iterator[Path]:
    """An empty folder, removed afterwards.

    Not pytest's: another pytest that starts would close it to the user that PostgreSQL runs as.
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
    """A configuration on *home*, and the journal of its fake programs."""

    __test__ = False

    home: Path
    faults: str = ""

    @property
    def journal_file(self) -> Path:
        return self.home.parent / "journal"

    @property
    def config(self) -> StackConfig:
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
        """The same with faults, as `fake_programs.py` reads them."""
        return replace(self, faults=faults)

    def journal(self) -> list[str]:
        return self.journal_file.read_text().splitlines()


@contextmanager
def running_stack(config: StackConfig) -> Iterator[StackAddresses]:
    """A stack for as long as the block runs."""
    stack = LocalStack(config)
    try:
        yield stack.start()
    finally:
        stack.stop()


def watch(running: LocalStack) -> None:
    """Ask for five seconds whether all is well."""
    for _ in range(500):
        running.raise_if_a_child_ended()
        time.sleep(0.01)


def processes_in(folder: Path) -> list[psutil.Process]:
    """Every process whose command line names *folder*."""
    running = psutil.process_iter(["cmdline"])
    return [each for each in running if str(folder) in " ".join(each.info["cmdline"] or ())]
