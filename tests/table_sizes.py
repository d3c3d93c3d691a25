"""How many rows each table has."""

from typing import Any, cast

from application.ports.storage.unit_of_work import Storage

_TABLES = """
SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
"""


async def table_sizes(storage: Storage) -> dict[str, int]:
    """Return the number of rows of each table, by its name."""
    async with storage() as uow:
        session = cast(Any, uow.users)._session
        tables = [name for (name,) in await session.rows(_TABLES)]
        counts = [f"SELECT '{each}', count(*) FROM {each}" for each in tables]
        return dict(await session.rows(" UNION ALL ".join(counts)))
