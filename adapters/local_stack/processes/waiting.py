"""Waiting for a child to be ready or to end: never without a limit, never after it has ended."""

import time
from collections.abc import Callable
from contextlib import closing
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit

from adapters.local_stack.errors import NotReadyError
from adapters.local_stack.processes.ports import LOOPBACK, listening_ports
from adapters.local_stack.processes.supervisor import Child

_POLL_SECONDS = 0.03
_HTTP_TIMEOUT_SECONDS = 2.0


def wait_until_ready(child: Child, is_ready: Callable[[], bool], timeout_seconds: float) -> None:
    """Return once *is_ready* returns True.

    Raises `ChildDiedError` if the child ends first, `NotReadyError` after the timeout.
    """

    def is_over() -> bool:
        if is_ready():
            return True
        child.raise_if_ended()
        return False

    _wait(child, is_over, timeout_seconds)


def wait_until_done(child: Child, timeout_seconds: float) -> None:
    """Wait for a program that is meant to end.

    Raises `ChildDiedError` unless it ended with status 0, `NotReadyError` after the timeout.
    """
    _wait(child, lambda: child.exit_status() is not None, timeout_seconds)
    if child.exit_status() != 0:
        child.raise_if_ended()


def wait_until_serving(child: Child, path: str, timeout_seconds: float) -> int:
    """Wait until the child answers 200 at a port that it chose itself; return the port.

    The port is found among those at which the child listens, so no other program can answer.
    """
    found: list[int] = []

    def is_ready() -> bool:
        ports = listening_ports(child.pid)
        found[:] = [port for port in ports if answers_ok(f"http://{LOOPBACK}:{port}{path}")]
        return bool(found)

    wait_until_ready(child, is_ready, timeout_seconds)
    return found[0]


def _wait(child: Child, is_over: Callable[[], bool], timeout_seconds: float) -> None:
    deadline = time.monotonic() + timeout_seconds
    while not is_over():
        if time.monotonic() >= deadline:
            raise NotReadyError(child.spec.name, child.spec.log, timeout_seconds)
        time.sleep(_POLL_SECONDS)


def answers_ok(url: str) -> bool:
    """Whether a GET is answered 200 now; it takes at most a few seconds.

    It is asked many times a second while a stack starts, so it costs next to nothing.
    """
    parts = urlsplit(url)
    connection = HTTPConnection(parts.netloc, timeout=_HTTP_TIMEOUT_SECONDS)
    try:
        with closing(connection):
            connection.request("GET", parts.path or "/")
            return connection.getresponse().status == HTTPStatus.OK
    except (OSError, HTTPException):
        return False
