"""One transaction on one connection, which always returns to the pool.

Piccolo's own transaction keeps its connection if BEGIN or ROLLBACK fails, so an outage would empty
the pool permanently; this one does not. No task may be created within it: a task inherits the
transaction and would share its connection.
"""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from functools import partial
from types import TracebackType
from typing import Any, Self

from piccolo.engine.postgres import PostgresEngine, PostgresTransaction

from adapters.persistence.errors import translated
from domain.errors import StorageUnavailable

Acquire = Callable[[], Awaitable[Any]]
Release = Callable[[Any], Awaitable[None]]
_BEGIN = "BEGIN"


class OwnedTransaction(PostgresTransaction):
    """Begins on entry, rolls back on exit unless it was committed, never nests.

    Args:
        engine: whose queries run in it.
        acquire: lends a connection.
        release: takes it back.
        lock_wait: how long a statement waits for each lock of another transaction (whole
            milliseconds); None: for as long as a statement may take.

    Raises:
        TransactionError: another transaction is open in this context.
        StorageUnavailable: on entry, commit or any statement.

    """

    def __init__(
        self,
        engine: PostgresEngine,
        acquire: Acquire,
        release: Release,
        lock_wait: timedelta | None = None,
    ) -> None:
        super().__init__(engine, allow_nested=False)
        self._acquire = acquire
        self._release = release
        self._begin = _BEGIN if lock_wait is None else _begin_waiting(lock_wait)

    async def __aenter__(self) -> Self:
        with translated():
            self.connection = await self._acquire()
            try:
                # Our own words instead of asyncpg's transaction: those take what is set with
                # them, in the same round trip.
                await self.connection.execute(self._begin)
            except BaseException:
                await self._release(self.connection)
                raise
        self.engine.current_transaction.set(self)
        return self

    async def commit(self) -> None:
        """Commit; no statement may follow."""
        self.engine.current_transaction.set(None)
        with translated():
            await self.connection.execute("COMMIT")
        self._committed = True

    async def __aexit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        self.engine.current_transaction.set(None)
        try:
            if not self._committed:
                await self._end(partial(self.connection.execute, "ROLLBACK"))
        finally:
            await self._end(partial(self._release, self.connection))
        return False

    async def _end(self, step: Callable[[], Awaitable[object]]) -> None:
        """Take a step that cannot fail in effect.

        A transaction whose connection is gone was rolled back by the server. The pool replaces a
        connection that cannot be released.
        """
        with suppress(StorageUnavailable), translated():
            await step()


def _begin_waiting(lock_wait: timedelta) -> str:
    # Zero would mean to wait for ever.
    milliseconds = max(1, lock_wait // timedelta(milliseconds=1))
    return f"{_BEGIN}; SET LOCAL lock_timeout = {milliseconds}"
