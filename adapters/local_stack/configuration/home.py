"""The folder that holds everything of one stack, and the locks that keep it to one stack.

Both locks are on open files, which the system closes when their process is killed. `owner`
belongs to the stack's own process: while it is locked, a stack is running. `lock` is shared with
the supervisor and free only once the last process of a stack has ended.
"""

import contextlib
import fcntl
import os
import shutil
import time
from pathlib import Path

from adapters.local_stack.errors import AlreadyRunningError

_POLL_SECONDS = 0.1
# The time that the supervisor of a killed stack may take to stop the other processes.
_LEFTOVER_SECONDS = 45.0


class StackHome:
    """The paths of a stack; nothing is made before `open`."""

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
        self._is_new = False
        self._is_discarded = False

    def open(self) -> int:
        """Make the folder and lock it; return the descriptor that holds the lock.

        Waits until the processes of a killed stack have ended. Raises `AlreadyRunningError`.
        """
        self._is_new = not self.folder.exists()
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

    def discard_if_new(self) -> None:
        """Have `close` remove a folder that `open` made."""
        self._is_discarded = self._is_new

    def close(self) -> None:
        """Remove the addresses, which are no longer valid, and unlock the folder."""
        locks, self._locks = self._locks, ()
        if locks:
            self.stack_file.unlink(missing_ok=True)
        if locks and self._is_discarded:
            shutil.rmtree(self.folder)
        for lock in locks:
            os.close(lock)

    def fresh_log(self, name: str) -> Path:
        """The log of the child *name*; that of the last start is kept as `NAME.log.1`."""
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
