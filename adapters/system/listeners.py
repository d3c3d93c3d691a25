"""Listening TCP sockets, opened here or inherited from the process that started this one.

A process that inherits its sockets cannot lose their port to another program while it starts.
"""

import errno
import os
import socket
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack

# The machine has no such address, for example no IPv6.
_ABSENT = {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}


def listen(hosts: Iterable[str], port: int) -> list[socket.socket]:
    """Listen at one port of each address that the hosts have on this machine.

    Args:
        hosts: names or addresses.
        port: 0 takes a free one.

    Raises:
        OSError: the port is in use at one of the addresses, or there is no address.

    """
    sockets: list[socket.socket] = []
    with ExitStack() as undo:
        for family, address in _addresses(hosts, port):
            number = port or (sockets[0].getsockname()[1] if sockets else 0)
            try:
                opened = socket.create_server((address, number), family=family)
            except OSError as error:
                if error.errno not in _ABSENT:
                    raise OSError(error.errno, os.strerror(error.errno or 0)) from error
            else:
                undo.callback(opened.close)
                sockets.append(opened)
        if not sockets:
            raise OSError(errno.EADDRNOTAVAIL, "this machine has no such address")
        undo.pop_all()
    return sockets


def inherited(descriptors: Sequence[int]) -> list[socket.socket]:
    """Return the sockets of inherited file descriptors. Raises OSError if one is not a socket."""
    return [socket.socket(fileno=descriptor) for descriptor in descriptors]


def _addresses(hosts: Iterable[str], port: int) -> Iterator[tuple[socket.AddressFamily, str]]:
    seen = set()
    for host in hosts:
        for family, _, _, _, address in socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        ):
            if address[0] not in seen:
                seen.add(address[0])
                yield family, str(address[0])
