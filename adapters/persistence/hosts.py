"""Connecting to the first of several hosts that takes part, as libpq does.

asyncpg tries the hosts in turn within one time limit, so a silent host takes the time of all that
follow. Here each host has its share.
"""

import asyncio
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg

# The host is down, not ready, or not the one that `target_session_attrs` asks for.
_NEXT = (
    OSError,
    asyncio.TimeoutError,
    asyncpg.TargetServerAttributeNotMatched,
    asyncpg.CannotConnectNowError,
    asyncpg.PostgresConnectionError,
)


async def connect_to_first(dsn: str, *, seconds: float, **options: Any) -> Any:
    """Connect to the first host that can be used.

    Args:
        dsn: of one host, or of several.
        seconds: for all of them together.
        options: of `asyncpg.connect`.

    Raises asyncpg's errors and TimeoutError: those of the last host.

    """
    *hosts, last = dsns(dsn)
    for each in hosts:
        try:
            async with asyncio.timeout(seconds / (len(hosts) + 1)):
                return await asyncpg.connect(each, **options)
        except _NEXT:
            continue
    return await asyncpg.connect(last, **options)


def dsns(dsn: str) -> list[str]:
    """Return an address for each host, in their order."""
    parts = urlsplit(dsn)
    login, at, hosts = parts.netloc.rpartition("@")
    return [urlunsplit(parts._replace(netloc=f"{login}{at}{host}")) for host in hosts.split(",")]
