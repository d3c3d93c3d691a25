"""How looks at standings are shared; what they find is the contract's."""

import asyncio
from typing import Any

import pytest

from adapters.persistence.borrowed_connection import lender
from adapters.persistence.lookups.version_lookup import GroupedVersionLookup
from domain.errors import StorageUnavailable
from domain.ids import IntegrationId
from tests.fakes.randomness import FakeRandomness

KEY = b"k" * 32


class Server:
    """A pool of one connection, whose statements wait until the test continues them."""

    def __init__(self) -> None:
        self.version = 1
        self.looks: list[int] = []
        self.began = asyncio.Event()
        self.going = asyncio.Event()
        self.fault: Exception | None = None

    async def acquire(self) -> "Server":
        """Lend the connection."""
        return self

    async def release(self, connection: Any) -> None:
        """Take it back."""
        assert connection is self

    async def terminate(self, connection: Any) -> None:
        """Take it back from a canceled task."""
        await self.release(connection)

    async def discard(self, connection: Any) -> None:
        """Take it back, to be closed."""
        await self.release(connection)

    async def fetch(
        self, _sql: str, keys: set[bytes], ids: set[IntegrationId], **_options: float
    ) -> list[tuple[bytes, int | None]]:
        """Return the rows as of the beginning of the statement."""
        seen = self.version
        self.looks.append(len(ids))
        self.began.set()
        await self.going.wait()
        if self.fault is not None:
            raise self.fault
        return [*((each, None) for each in keys), *((each.bytes, seen) for each in ids)]


@pytest.fixture
def server() -> Server:
    """A server that answers as soon as the test continues it."""
    return Server()


@pytest.fixture
def versions(server: Server) -> GroupedVersionLookup:
    """Standings on that server."""
    return GroupedVersionLookup(lender(server))


async def test_concurrent_requests_share_a_statement(
    server: Server, versions: GroupedVersionLookup, randomness: FakeRandomness
) -> None:
    """A hundred readers at one moment cost one statement, which names each user once."""
    ids = [IntegrationId(randomness.new_id()) for _ in range(4)]
    server.going.set()

    results = await asyncio.gather(*(versions.current(KEY, ids[n % 4]) for n in range(100)))

    assert results == [1] * 100
    assert server.looks == [4]


async def test_no_result_is_older_than_its_request(
    server: Server, versions: GroupedVersionLookup, randomness: FakeRandomness
) -> None:
    """A request that arrives while a statement runs waits for the next one."""
    ada = IntegrationId(randomness.new_id())
    first = asyncio.ensure_future(versions.current(KEY, ada))
    await server.began.wait()
    server.version = 2
    second = asyncio.ensure_future(versions.current(KEY, ada))
    await asyncio.sleep(0)
    server.going.set()

    assert (await first, await second) == (1, 2)


async def test_an_outage_reaches_the_whole_group(
    server: Server, versions: GroupedVersionLookup, randomness: FakeRandomness
) -> None:
    """Without a database each request gets the error, and the next lookup is a new one."""
    ada = IntegrationId(randomness.new_id())
    server.fault = OSError()
    server.going.set()

    asking = (versions.current(KEY, ada) for _ in range(3))
    results = await asyncio.gather(*asking, return_exceptions=True)
    server.fault = None

    assert [type(each) for each in results] == [StorageUnavailable] * 3
    assert await versions.current(KEY, ada) == 1


async def test_a_cancelled_request_cancels_no_other(
    server: Server, versions: GroupedVersionLookup, randomness: FakeRandomness
) -> None:
    """A request that is cancelled while it waits leaves the others their result."""
    ada = IntegrationId(randomness.new_id())
    leaving, staying = (asyncio.ensure_future(versions.current(KEY, ada)) for _ in range(2))
    await server.began.wait()
    leaving.cancel()
    server.going.set()

    assert await staying == 1
    assert leaving.cancelled()
