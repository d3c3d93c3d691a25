"""TCP ports of this machine: each is held from the moment it is chosen, or it is not used.

A program of ours inherits the sockets of its port. PostgreSQL and Temporal open their own: their
ports are released just before they start, and `listening_ports` shows whether they got them.
"""

import errno
import os
import random
import socket
from contextlib import closing, suppress

from adapters.local_stack.errors import MissingExtraError, PortUnavailableError
from adapters.system.listeners import listen

LOOPBACK = "127.0.0.1"
IN_USE = os.strerror(errno.EADDRINUSE)

# Below the range from which systems number outgoing connections (32768 on Linux, 49152
# elsewhere): such a connection could take a port between its release and its server's start.
_CANDIDATES = range(20_000, 32_000)
_ATTEMPTS = 100


class Port:
    """The port of one part of the stack.

    Args:
        part: named by the error when the port is in use.
        wanted: the port to use; 0 takes a free one.
        required: whether another port may not be used instead.
        localhost: hold it at every address that `localhost` may mean, so that no other program
            answers there; else at 127.0.0.1 only.

    """

    def __init__(
        self, part: str, wanted: int = 0, *, required: bool = False, localhost: bool = False
    ) -> None:
        self.part = part
        self.number = wanted
        self.wanted = wanted
        self.required = required and wanted != 0
        self._localhost = localhost
        self._sockets: list[socket.socket] = []

    @property
    def url(self) -> str:
        """The address as a browser takes it, without a path."""
        return f"http://{'localhost' if self._localhost else LOOPBACK}:{self.number}"

    @property
    def descriptors(self) -> list[int]:
        """The file descriptors of the listening sockets, while the port is held."""
        return [each.fileno() for each in self._sockets]

    def hold(self) -> None:
        """Listen at the port, or at a free one if it is in use and not required.

        Raises `PortUnavailableError`. Safe to repeat.
        """
        if self._sockets:
            return
        try:
            if self.number:
                self._listen(self.number)
            else:
                self.replace()
        except OSError as error:
            self.replace(os.strerror(error.errno or 0))

    def replace(self, reason: str = IN_USE) -> None:
        """Hold another port because of *reason*. Raises `PortUnavailableError` if required."""
        if not self.required:
            for number in random.SystemRandom().sample(_CANDIDATES, _ATTEMPTS):
                with suppress(OSError):
                    self._listen(number)
                    return
        raise PortUnavailableError(self.part, self.number, reason)

    def release(self) -> None:
        """Stop listening, so that a server can. Safe to repeat."""
        sockets, self._sockets = self._sockets, []
        for each in sockets:
            each.close()

    def is_lost_to(self, pid: int) -> bool:
        """Whether a process other than *pid* listens at the port."""
        with closing(socket.socket()) as probe:
            answers = probe.connect_ex((LOOPBACK, self.number)) == 0
        return answers and self.number not in listening_ports(pid)

    def _listen(self, number: int) -> None:
        self._sockets = listen((LOOPBACK, "::1") if self._localhost else (LOOPBACK,), number)
        self.number = number


def listening_ports(pid: int) -> set[int]:
    """The TCP ports at which this process listens; empty when it has ended."""
    try:
        import psutil  # noqa: PLC0415 - part of the extra that may be missing
    except ImportError:
        raise MissingExtraError("psutil", "psutil") from None
    try:
        connections = psutil.Process(pid).net_connections("tcp")
    except psutil.Error:
        return set()
    return {each.laddr.port for each in connections if each.status == psutil.CONN_LISTEN}
