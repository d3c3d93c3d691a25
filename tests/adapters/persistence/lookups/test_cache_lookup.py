"""The cost of a cache lookup, and the release of its connection; the contract tests the rest."""

import asyncio
from datetime import timedelta

import asyncpg
import pytest

from adapters.persistence.lookups.cache_lookup import PooledCacheLookup
from application.ports.storage.availability_cache import CacheKey, CacheKind
from domain.availability import Window
from domain.errors import StorageUnavailable
from domain.ids import UserId
from domain.integration import Integration
from tests.adapters.persistence.one_connection import OneConnection
from tests.fakes.clock import NOON
from tests.fakes.randomness import FakeRandomness

KEYS = [CacheKey(kind) for kind in CacheKind]
DAY = Window(start=NOON, end=NOON + timedelta(days=1))


class Faulty:
    """A connection whose statements do not end well."""

    def __init__(self, fault: BaseException) -> None:
        self._fault = fault

    async def fetchrow(self, *_given: object) -> None:
        """Fail."""
        raise self._fault


async def test_a_lookup_is_one_statement(sql: asyncpg.Connection, ada: Integration) -> None:
    """A lookup is one statement for any number of entries, without a transaction."""
    sent: list[str] = []
    pool = OneConnection(sql)
    cache_lookup = PooledCacheLookup(pool.lend)
    # asyncpg asks once a connection what the types of an answer are.
    await cache_lookup.read(ada.user_id, KEYS, occupied_in=DAY)
    sql.add_query_logger(lambda query: sent.append(query.query))

    found = await cache_lookup.read(ada.user_id, KEYS, occupied_in=DAY)
    await asyncio.sleep(0)  # asyncpg tells of a statement a moment later

    assert found is not None
    assert found.integration == ada
    assert len(sent) == 1
    assert sent[0].strip().startswith("SELECT")
    assert pool.lent == 0


@pytest.mark.parametrize(
    ("fault", "expected"),
    [(OSError(), StorageUnavailable), (asyncio.CancelledError(), asyncio.CancelledError)],
)
async def test_the_connection_comes_back(
    randomness: FakeRandomness, fault: BaseException, expected: type[BaseException]
) -> None:
    """A lookup always releases its connection, and an outage is reported as one."""
    pool = OneConnection(Faulty(fault))

    with pytest.raises(expected):
        await PooledCacheLookup(pool.lend).read(UserId(randomness.new_id()), KEYS)

    assert pool.lent == 0
