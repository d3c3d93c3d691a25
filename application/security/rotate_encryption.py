"""Reseal every stored value under the first key of the ring, while the service runs.

The rule not to break: a value is replaced only by its own content, and only if it is unchanged since
it was read. A value that does not open is reported and stays as it is.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import msgspec

from application.ports.clock import Clock
from application.ports.key_ring import KeyRing
from application.ports.storage.encrypted_values import SealedValue
from application.ports.storage.unit_of_work import Storage
from domain.backoff import RetryPolicy, next_delay
from domain.errors import SealedValueCorrupt, SealedValueUnreadable, StorageUnavailable

PAGE = 100  # values that are in memory, and locked for one statement, at a time
# For how long a row in use is tried again: longer than a lease lasts.
LEASE_WAIT = timedelta(minutes=3)
LOOK_AGAIN = timedelta(seconds=1)
STORING = RetryPolicy(base=timedelta(milliseconds=500), cap=timedelta(seconds=10), limit=12)


class Unreadable(msgspec.Struct, frozen=True):
    """A value that stays as it is.

    Args:
        column: `table.column`.
        owner: the public id of its row, or of its user where the row has none.
        key_id: the key that it names; empty when it has not the form of a sealed value.
        code: why it does not open.

    """

    column: str
    owner: UUID
    key_id: str
    code: str


class Rotation(msgspec.Struct, frozen=True):
    """The counts of a run.

    Args:
        resealed: values that are under the first key now.
        unreadable: values that do not open.
        busy: values that were in use the whole time; another run finds them.

    """

    resealed: int = 0
    unreadable: int = 0
    busy: int = 0

    @property
    def is_complete(self) -> bool:
        return not self.unreadable and not self.busy

    def __add__(self, other: "Rotation") -> "Rotation":
        return Rotation(
            resealed=self.resealed + other.resealed,
            unreadable=self.unreadable + other.unreadable,
            busy=self.busy + other.busy,
        )


@dataclass(frozen=True, kw_only=True)
class RotateEncryption:
    """Goes through every sealed column in short ranges; may be stopped and started again.

    Args:
        storage: the store.
        ring: the first key seals, every key opens.
        clock: the time.
        resealing: receives after each page how many values of a column were resealed so far.
        unreadable: receives each value that does not open.

    """

    storage: Storage
    ring: KeyRing
    clock: Clock
    resealing: Callable[[str, int], None]
    unreadable: Callable[[Unreadable], None]

    async def __call__(self) -> Rotation:
        """Reseal all values that another key than the first has sealed.

        Raises:
            StorageUnavailable: the store was down for too long; finished pages stay resealed.

        """
        async with self.storage() as uow:
            columns = uow.sealed_values.columns
        total = Rotation()
        for column in columns:
            total += await self._column(column)
        return total

    async def _column(self, column: str) -> Rotation:
        """Go through a column, then try the rows again that were in use."""
        done = await self._pass(column, Rotation(), name=True)
        looks = LEASE_WAIT // LOOK_AGAIN
        while done.busy and looks:
            looks -= 1
            await asyncio.sleep(LOOK_AGAIN.total_seconds())
            settled = msgspec.structs.replace(done, busy=0)
            done = await self._pass(column, settled, name=False)
        return done

    async def _pass(self, column: str, done: Rotation, *, name: bool) -> Rotation:
        after: int | None = 0
        while after is not None:
            page, after = await self._page(column, after, name=name)
            done += page
            if page.resealed:
                self.resealing(column, done.resealed)
        return done

    async def _page(self, column: str, after: int, *, name: bool) -> tuple[Rotation, int | None]:
        attempt = 1
        while True:
            try:
                return await self._try_page(column, after, name=name)
            except StorageUnavailable as error:
                # Any jitter will do: there is one of us.
                pause = next_delay(STORING, attempt, error, 1.0)
                if pause is None:
                    raise
            attempt += 1
            await asyncio.sleep(pause.total_seconds())

    async def _try_page(
        self, column: str, after: int, *, name: bool
    ) -> tuple[Rotation, int | None]:
        async with self.storage() as uow:
            page = await uow.sealed_values.page(
                column, after, PAGE, but_under=self.ring.sealing_key_id
            )
        resealed, unreadable = [], []
        for value in page.values:
            try:
                resealed.append((value, self._seal_anew(value)))
            except SealedValueUnreadable as error:
                unreadable.append(self._name(column, value, error))
        stored = 0
        if resealed:
            async with self.storage() as uow:
                stored = await uow.sealed_values.replace(column, resealed, self.clock.now())
                await uow.commit()
        for each in unreadable if name else ():
            self.unreadable(each)
        done = Rotation(
            resealed=stored,
            unreadable=len(unreadable) if name else 0,
            busy=len(resealed) - stored,
        )
        return done, page.after

    def _seal_anew(self, value: SealedValue) -> str:
        return self.ring.seal(self.ring.open(value.sealed, value.bound_to), value.bound_to)

    def _name(self, column: str, value: SealedValue, error: SealedValueUnreadable) -> Unreadable:
        try:
            key_id = self.ring.key_id(value.sealed)
        except SealedValueCorrupt:
            key_id = ""
        return Unreadable(column=column, owner=value.owner, key_id=key_id, code=error.code)


async def count_by_key(storage: Storage) -> Mapping[str, int]:
    """Return how many values each key sealed, by its id; an empty id: not a sealed value.

    Raises:
        StorageUnavailable: the store is down.

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
