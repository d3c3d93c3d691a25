"""Background work as tasks of this process.

Every task is referenced until it ends, because the event loop itself keeps only weak references.
Their number is bounded, and closing waits for them a bounded time. Work that is refused or canceled
here is lost to this process; by the port's contract another process does it later.
"""

import asyncio
from collections.abc import Coroutine
from contextvars import Context
from datetime import timedelta
from typing import Any, Self

import structlog

from domain.errors import SlotkeeperError

_log = structlog.stdlib.get_logger(__name__)


class AsyncBackground:
    """Implements the Background port on the running event loop.

    Args:
        limit: tasks at a time; more are refused, so that a slow Calendly cannot fill the memory.
        grace: how long `close` waits for running work before it cancels it.

    """

    def __init__(self, *, limit: int = 256, grace: timedelta = timedelta(seconds=10)) -> None:
        self._limit = limit
        self._grace = grace
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False

    def run(self, name: str, work: Coroutine[Any, Any, object], *, vital: bool = False) -> None:
        """Start the work, or refuse and log it when closed or full; never raises."""
        if not vital and (self._closed or len(self._tasks) >= self._limit):
            work.close()
            reason = "closed" if self._closed else "full"
            _log.warning("background_work_refused", work=name, reason=reason)
            return
        # A context of its own: the caller's database transaction must not leak into work that
        # outlives it. The fields of log entries are copied.
        context = Context()
        context.run(
            structlog.contextvars.bind_contextvars, **structlog.contextvars.get_contextvars()
        )
        task = asyncio.get_running_loop().create_task(
            _carry_out(name, work), name=name, context=context
        )
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Refuse new work, wait for the running up to the grace time, cancel the rest."""
        self._closed = True
        if not self._tasks:
            return
        _, unfinished = await asyncio.wait(self._tasks, timeout=self._grace.total_seconds())
        for task in unfinished:
            _log.warning("background_work_cut_off", work=task.get_name())
            task.cancel()
        await asyncio.gather(*unfinished, return_exceptions=True)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


async def _carry_out(name: str, work: Coroutine[Any, Any, object]) -> None:
    try:
        await work
    except SlotkeeperError as error:
        _log.warning("background_work_failed", work=name, error_code=error.code, error=str(error))
    except Exception:  # noqa: BLE001 - the port promises that errors are logged, never raised
        _log.exception("background_work_failed", work=name, error_code="internal")
