"""Waiting for a child to be ready or to end; never without a limit, never past its death."""

import time
from collections.abc import Callable

from adapters.local_stack.errors import NotReadyError
from adapters.local_stack.processes.child import Child

_POLL_SECONDS = 0.03


def wait_until_ready(child: Child, is_ready: Callable[[], bool], timeout_seconds: float) -> None:
    """Return once *is_ready* says so.

    Raises `ChildDiedError` if the child ends first, `NotReadyError` when time is up.
    """
    deadline = time.monotonic() + timeout_seconds
    while not is_ready():
        child.raise_if_ended()
        if time.monotonic() >= deadline:
            raise NotReadyError(child.spec.name, child.spec.log, timeout_seconds)
        time.sleep(_POLL_SECONDS)


def wait_until_done(child: Child, timeout_seconds: float) -> None:
    """Wait for a program that is meant to end.

    Raises `ChildDiedError` unless it ended with status 0, `NotReadyError` when time is up.
    """
    deadline = time.monotonic() + timeout_seconds
    while (status := child.exit_status()) is None:
        if time.monotonic() >= deadline:
            raise NotReadyError(child.spec.name, child.spec.log, timeout_seconds)
        time.sleep(_POLL_SECONDS)
    if status != 0:
        child.raise_if_ended()
