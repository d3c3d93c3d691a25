"""Count the sealed values by the key that sealed them, in short stretches."""

from collections import Counter
from collections.abc import Mapping

from application.ports.storage.unit_of_work import Storage


async def count_by_key(storage: Storage) -> Mapping[str, int]:
    """Return how many values each key sealed, by its id; an empty id stands for what has none.

    Raises:
        StorageUnavailable: the store is away.

    """
    async with storage() as uow:
        columns = uow.sealed_values.columns
    total: Counter[str] = Counter()
    for column in columns:
        after: int | None = 0
        while after is not None:
            async with storage() as uow:
                counts = await uow.sealed_values.count(column, after)
            total.update(counts.by_key)
            after = counts.after
    return total
