"""The folder that holds everything of one stack, and the locks that keep it to one stack.

Both are on open files, so that the system lets go of them for whoever is killed. `owner` is
the stack's own process: held by somebody, it means that a stack is running. `lock` is shared
with the supervisor and free only once the last process of a stack has ended.
"""

import contextlib
import fcntl
import os
import time
from pathlib import Path

from adapters.local_stack.errors import AlreadyRunningError

_POLL_SECONDS = 0.1
# How long the supervisor of a killed stack may take to stop what is left.
_LEFTOVER_SECONDS = 45.0


class StackHome:
    """Where things are; nothing is made before `open`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self.logs = self.folder / "logs"
        self.credentials_file = self.folder / "credentials.json"
        self.stack_file = self.folder / "stack.json"
        self.web_url_file = self.folder / "web-url"
        self.postgres = self.folder / "postgres"
        self.sandbox_state_file = self.folder / "sandbox.state"
        self.worker_ready_file = self.folder / "worker.ready"
        self._locks: tuple[int, ...] = ()

    def open(self) -> int:
        """Make the folder and lock it; the descriptor that holds the lock.

        Waits for a killed stack's remains to end. Raises `AlreadyRunningError`.
        """
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.logs.mkdir(mode=0o700, exist_ok=True)
        with contextlib.ExitStack() as undo:
            owner = _opened(self.folder / "owner", undo)
            if not _acquired(owner):
                raise AlreadyRunningError(self.folder, os.pread(owner, 20, 0).decode())
            os.truncate(owner, 0)
            os.pwrite(owner, str(os.getpid()).encode(), 0)
            lock = _opened(self.folder / "lock", undo)
            self._await_leftovers(lock)
            undo.pop_all()
        self._locks = (lock, owner)
        return lock

    def close(self) -> None:
        """Let go of the locks and of the addresses, which are nobody's now."""
        locks, self._locks = self._locks, ()
        if locks:
            self.stack_file.unlink(missing_ok=True)
        for lock in locks:
            os.close(lock)

    def fresh_log(self, name: str) -> Path:
        """Where the child *name* writes; what it wrote last time is kept as `NAME.log.1`."""
        log = self.logs / f"{name}.log"
        with contextlib.suppress(FileNotFoundError):
            log.rename(log.with_suffix(".log.1"))
        return log

    def _await_leftovers(self, lock: int) -> None:
        deadline = time.monotonic() + _LEFTOVER_SECONDS
        while not _acquired(lock):
            if time.monotonic() >= deadline:
                raise AlreadyRunningError(self.folder, "")
            time.sleep(_POLL_SECONDS)


def _opened(file: Path, undo: contextlib.ExitStack) -> int:
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    undo.callback(os.close, descriptor)
    return descriptor


def _acquired(lock: int) -> bool:
    with contextlib.suppress(BlockingIOError):
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False
