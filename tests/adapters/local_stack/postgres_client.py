"""One query on a connection of its own."""

import asyncpg


async def fetch(dsn: str, query: str) -> object:
    """The first value of the first row."""
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()
