"""How PostgreSQL and Temporal are started, awaited and stopped.

A subclass says which program to run and when it is ready.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from adapters.local_stack.errors import PortUnavailableError
from adapters.local_stack.processes.ports import IN_USE, Port, listening_ports
from adapters.local_stack.processes.supervisor import Child, ChildSpec, Supervisor
from adapters.local_stack.processes.waiting import wait_until_ready

_START_SECONDS = 60.0
# Losing a port is rare, and each time another one is chosen at random.
_STARTS = 5


class EmbeddedServer(ABC):
    """A server that opens its own ports.

    Args:
        home: the folder of its files.
        log: gets its output.
        supervisor: None: one of its own, so that no server is left when its starter is killed.
        ports: those that it listens at. They stay the same when it is started again.

    """

    def __init__(
        self, home: Path, log: Path, supervisor: Supervisor | None, ports: Sequence[Port]
    ) -> None:
        self.home = home
        self.log = log
        self._owns_supervisor = supervisor is None
        self._supervisor = supervisor or Supervisor(log)
        self._ports = ports
        self._child: Child | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    @abstractmethod
    def address(self) -> str:
        """The address that a client connects to."""

    def start(self) -> str:
        """Start it and wait until it serves clients; return its address.

        Raises `LocalStackError`: it is not installed, it ended, it was not ready in 60 seconds, or
        a required port is in use.
        """
        try:
            self.launch()
            return self.await_ready()
        except BaseException:
            self.stop()
            raise

    def launch(self) -> None:
        """The first half of `start`: returns while the server is still starting."""
        self.home.mkdir(parents=True, exist_ok=True)
        if self._owns_supervisor:
            self._supervisor.start()
        self._spawn()

    def await_ready(self) -> str:
        """The second half of `start`. A server that lost a port starts again at another one."""
        for _ in range(_STARTS):
            lost = self._await_ports()
            if not lost:
                for port in self._ports:
                    # From now on clients know it.
                    port.required = True
                return self.address
            self.child.stop()
            for port in lost:
                port.replace()
            self._spawn()
        raise PortUnavailableError(lost[0].part, lost[0].number, IN_USE)

    def stop(self) -> None:
        """End it in good order. Safe to repeat."""
        child, self._child = self._child, None
        for port in self._ports:
            port.release()
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

    def _spawn(self) -> None:
        for port in self._ports:
            port.hold()
        spec = self._prepare(self._supervisor)
        for port in self._ports:
            port.release()
        self._child = self._supervisor.spawn(spec)

    def _await_ports(self) -> list[Port]:
        """Return once it is ready, or the ports at which another process answers instead."""
        child, lost = self.child, list[Port]()

        def is_over() -> bool:
            lost[:] = [port for port in self._ports if port.is_lost_to(child.pid)]
            return bool(lost) or (self._has_its_ports(child) and self._is_ready(child))

        wait_until_ready(child, is_over, _START_SECONDS)
        return lost

    def _has_its_ports(self, child: Child) -> bool:
        return {port.number for port in self._ports} <= listening_ports(child.pid)

    @abstractmethod
    def _prepare(self, supervisor: Supervisor) -> ChildSpec:
        """Make what it needs on first use; return the program to run."""

    @abstractmethod
    def _is_ready(self, child: Child) -> bool: ...
