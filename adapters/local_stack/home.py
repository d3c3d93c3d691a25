"""The folder that holds everything of one stack, and the lock that keeps it to one stack.

The lock is on an open file which the guardian shares: it is let go when the last process of
a stack has ended, also of a killed one.
"""

import contextlib
import fcntl
import os
import time
from pathlib import Path

from adapters.local_stack.errors import AlreadyRunningError

_POLL_SECONDS = 0.1
# How long the guardian of a killed stack may take to stop what is left.
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
        self._lock: int | None = None

    def open(self) -> int:
        """Make the folder and lock it; the descriptor that holds the lock.

        Waits for a killed stack's remains to end. Raises `AlreadyRunningError`.
        """
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.logs.mkdir(mode=0o700, exist_ok=True)
        lock = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            self._acquire(lock)
        except BaseException:
            os.close(lock)
            raise
        os.truncate(lock, 0)
        os.pwrite(lock, str(os.getpid()).encode(), 0)
        self._lock = lock
        return lock

    def close(self) -> None:
        """Let go of the lock and of the addresses, which are nobody's now."""
        lock, self._lock = self._lock, None
        if lock is not None:
            self.stack_file.unlink(missing_ok=True)
            os.close(lock)

    def fresh_log(self, name: str) -> Path:
        """Where the child *name* writes; what it wrote last time is kept as `NAME.log.1`."""
        log = self.logs / f"{name}.log"
        with contextlib.suppress(FileNotFoundError):
            log.rename(log.with_suffix(".log.1"))
        return log

    def _acquire(self, lock: int) -> None:
        deadline = time.monotonic() + _LEFTOVER_SECONDS
        while True:
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            owner = os.pread(lock, 20, 0).decode()
            if _is_alive(owner) or time.monotonic() >= deadline:
                raise AlreadyRunningError(self.folder, owner)
            time.sleep(_POLL_SECONDS)


def _is_alive(pid: str) -> bool:
    """Whether the lock's owner itself runs, not just a guardian that cleans up after it."""
    try:
        os.kill(int(pid), 0)
    except PermissionError:
        return True
    except (ProcessLookupError, ValueError):
        return False
    return True
