"""TCP ports on the loopback interface: is one free, and a free one instead.

A port is free only if nobody listens on it over IPv4 or IPv6: `localhost` may mean either.
"""

import random
import socket
from contextlib import closing
from typing import NamedTuple

LOOPBACK = "127.0.0.1"

# Below the range from which systems number outgoing connections (32768 on Linux, 49152
# elsewhere): such a connection could take a port between our looking and its server's start.
_CANDIDATES = range(20_000, 32_000)


class ClaimedPort(NamedTuple):
    """`number` is the port to use; `wanted` the one asked for, when that was taken."""

    number: int
    wanted: int | None = None


def free_port() -> int:
    """A port that nobody listens on now, chosen at random so that two choosers differ."""
    chosen = random.SystemRandom()
    while not is_free(port := chosen.choice(_CANDIDATES)):
        pass
    return port


def claim_port(wanted: int) -> ClaimedPort:
    """*wanted* if it is free, else a free one; 0 asks for any."""
    if wanted == 0:
        return ClaimedPort(free_port())
    if is_free(wanted):
        return ClaimedPort(wanted)
    return ClaimedPort(free_port(), wanted)


def is_free(port: int) -> bool:
    """Whether a server could take *port* now, and would be whom `localhost` reaches there."""
    return _can_bind(port) and not _answers_over_ipv6(port)


def _can_bind(port: int) -> bool:
    with closing(socket.socket(socket.AF_INET, socket.SOCK_STREAM)) as probe:
        # Without this a port closed a moment ago (TIME_WAIT) would look taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


def _answers_over_ipv6(port: int) -> bool:
    try:
        with closing(socket.socket(socket.AF_INET6, socket.SOCK_STREAM)) as probe:
            probe.settimeout(0.2)
            return probe.connect_ex(("::1", port)) == 0
    except OSError:
        return False
