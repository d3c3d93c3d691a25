"""The cost of a caller lookup, and the return of its connection; the contract has the rest."""

import asyncio

import asyncpg
import pytest

from adapters.persistence.lookups.caller_lookup import PooledCallerLookup
from domain.errors import StorageUnavailable
from tests.adapters.persistence.one_connection import OneConnection

KEY = b"k" * 32


class Away:
    """A connection to a server that is gone."""

    async def fetchrow(self, *_given: object) -> None:
        """Fail."""
        raise OSError


async def test_a_lookup_is_one_statement(sql: asyncpg.Connection) -> None:
    """A key and a user are looked up in one statement, and no transaction around it."""
    sent: list[str] = []
    pool = OneConnection(sql)
    callers = PooledCallerLookup(pool.lend)
    sql.add_query_logger(lambda query: sent.append(query.query))

    assert await callers.find(KEY, "ada") is None
    await asyncio.sleep(0)  # asyncpg tells of a statement a moment later

    assert len(sent) == 1
    assert sent[0].strip().startswith("SELECT")
    assert pool.lent == 0


async def test_the_connection_comes_back() -> None:
    """An outage is reported as one, and the connection is released."""
    pool = OneConnection(Away())

    with pytest.raises(StorageUnavailable):
        await PooledCallerLookup(pool.lend).find(KEY, "ada")

    assert pool.lent == 0
