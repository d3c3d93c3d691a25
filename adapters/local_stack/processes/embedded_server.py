"""What the embedded servers have in common: start, readiness, stop, and whose supervisor.

A subclass says what to run and how to see that it is ready, nothing about processes.
"""

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Self

from adapters.local_stack.processes.supervisor import Child, ChildSpec, Supervisor
from adapters.local_stack.processes.waiting import wait_until_ready

_START_SECONDS = 60.0


class EmbeddedServer(ABC):
    """A server whose files live in *home* and whose output goes to *log*.

    Without *supervisor* it brings its own, so that killing its starter leaves no server.
    """

    def __init__(self, home: Path, log: Path, supervisor: Supervisor | None) -> None:
        self.home = home
        self.log = log
        self._owns_supervisor = supervisor is None
        self._supervisor = supervisor or Supervisor(log)
        self._child: Child | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    @abstractmethod
    def address(self) -> str:
        """What a client connects to."""

    def start(self) -> str:
        """Start it and wait until it serves clients; the address.

        Raises `LocalStackError`: not installed, port taken, died, not ready in 60 seconds.
        """
        try:
            self.launch()
            return self.await_ready()
        except BaseException:
            self.stop()
            raise

    def launch(self) -> None:
        """The first half of `start`: returns while the server is still coming up."""
        self.home.mkdir(parents=True, exist_ok=True)
        if self._owns_supervisor:
            self._supervisor.start()
        self._child = self._supervisor.spawn(self._prepare(self._supervisor))

    def await_ready(self) -> str:
        """The second half of `start`."""
        child = self.child
        wait_until_ready(child, lambda: self._is_ready(child), _START_SECONDS)
        return self.address

    def stop(self) -> None:
        """End it in good order. Safe to repeat."""
        child, self._child = self._child, None
        if self._owns_supervisor:
            self._supervisor.close()
        elif child is not None:
            child.stop()

    @property
    def child(self) -> Child:
        """The running server. Raises `RuntimeError` before `launch` and after `stop`."""
        if self._child is None:
            raise RuntimeError(f"the server in {self.home} is not running")
        return self._child

    @abstractmethod
    def _prepare(self, supervisor: Supervisor) -> ChildSpec:
        """Make what it needs on first use; what to run."""

    @abstractmethod
    def _is_ready(self, child: Child) -> bool: ...
