"""Plain SQL on the unit of work's connection, for the hot paths.

Values are always parameters (`$1`), never part of the text.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import asyncpg

from adapters.persistence.engine import ENGINE, QueryOutsideUnitOfWorkError
from adapters.persistence.errors import StoreRefused, translated


class Session:
    """Runs statements while the unit of work is open.

    Every method raises StorageUnavailable for what passes, StorageContended among it, and
    StoreRefused for what does not.
    """

    async def rows(self, sql: str, *values: object) -> list[asyncpg.Record]:
        with translated():
            found: list[asyncpg.Record] = await _connection().fetch(sql, *values)
        return found

    async def row(self, sql: str, *values: object) -> asyncpg.Record | None:
        with translated():
            found: asyncpg.Record | None = await _connection().fetchrow(sql, *values)
        return found

    async def run(self, sql: str, *values: object) -> None:
        with translated():
            await _connection().execute(sql, *values)

    async def run_each(self, sql: str, values: Iterable[Sequence[object]]) -> None:
        """Run one statement for each list of values, in one round trip."""
        with translated():
            await _connection().executemany(sql, values)


def required(row: asyncpg.Record | None) -> asyncpg.Record:
    if row is None:
        raise StoreRefused("A statement that always returns a row returned none.")
    return row


def _connection() -> Any:
    transaction = ENGINE.current_transaction.get()
    if transaction is None:
        raise QueryOutsideUnitOfWorkError("A statement ran outside a unit of work.")
    return transaction.connection
