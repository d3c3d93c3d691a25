"""One transaction on one connection, which always returns to the pool.

Piccolo's own transaction keeps its connection if BEGIN or ROLLBACK fails, so an outage would empty
the pool permanently; this one does not. No task may be created within it: a task inherits the
transaction and would share its connection.
"""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from types import TracebackType
from typing import Self

from piccolo.engine.postgres import PostgresEngine, PostgresTransaction

from adapters.persistence.borrowed_connection import Connections, can_work_on, take_back
from adapters.persistence.errors import translated
from domain.errors import StorageUnavailable

_BEGIN = "BEGIN"


class OwnedTransaction(PostgresTransaction):
    """Begins on entry, rolls back on exit unless it was committed, never nests.

    Args:
        engine: whose queries run in it.
        connections: lends one, and takes it back.
        begin: the statement that begins it; from `begin`.

    Raises:
        TransactionError: another transaction is open in this context.
        StorageUnavailable: on entry, commit or any statement.

    """

    def __init__(
        self, engine: PostgresEngine, connections: Connections, begin: str = _BEGIN
    ) -> None:
        super().__init__(engine, allow_nested=False)
        self._connections = connections
        self._begin = begin

    async def __aenter__(self) -> Self:
        with translated():
            self.connection = await self._connections.acquire()
            try:
                # Our own words instead of asyncpg's transaction: those take what is set with
                # them, in the same round trip.
                await self.connection.execute(self._begin)
            except BaseException as error:
                await take_back(self._connections, self.connection, error)
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
        failed = exception
        if not self._committed and can_work_on(exception):
            failed = await self._end(partial(self.connection.execute, "ROLLBACK")) or exception
        await self._end(partial(take_back, self._connections, self.connection, failed))
        return False

    async def _end(self, step: Callable[[], Awaitable[object]]) -> StorageUnavailable | None:
        """Take a step that cannot fail in effect, and return its error.

        A transaction whose connection is gone was rolled back by the server. The pool replaces a
        connection that cannot be released.
        """
        try:
            with translated():
                await step()
        except StorageUnavailable as error:
            return error
        return None


def begin(limits: Mapping[str, int]) -> str:
    """Return the statement that begins a transaction, limits included, in one round trip.

    Args:
        limits: settings of the server by their names (milliseconds).

    """
    settings = [f"SET LOCAL {name} = {value}" for name, value in limits.items()]
    return "; ".join([_BEGIN, *settings])
