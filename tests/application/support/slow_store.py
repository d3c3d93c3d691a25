"""A store and a Calendly that take their time, each step as long as chance wants it."""

from asyncio import sleep
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random

from application.resilience.priority import is_background
from tests.application.support.building import Product
from tests.application.support.crashing import CrashingCalendly, CrashingStorage, Steps
from tests.fakes.calendly.script import Failure
from tests.fakes.storage import FakeUnitOfWork

LOOK = 0.02  # seconds that a look at the store takes at most
CALL = 0.3  # seconds that a call to Calendly takes at most


class SlowStorage(CrashingStorage):
    """A store where each unit of work begins and ends a while later."""

    def __init__(self, chance: Random) -> None:
        super().__init__(Steps())
        self._chance = chance

    @asynccontextmanager
    async def __call__(self) -> AsyncIterator[FakeUnitOfWork]:
        """Begin."""
        await sleep(self._chance.uniform(0, LOOK))
        async with super().__call__() as uow:
            yield uow
        await sleep(self._chance.uniform(0, LOOK))


class SlowCalendly(CrashingCalendly):
    """A Calendly that answers after a delay.

    Attributes:
        most: the highest number of concurrent calls.
        for_jobs: for each call, its method and whether it was a job's.

    """

    def __init__(self, product: Product, chance: Random) -> None:
        super().__init__(product.clock, Steps())
        self._chance = chance
        self._under_way = 0
        self.most = 0
        self.for_jobs: list[tuple[str, bool]] = []

    async def begin(self, method: str) -> Failure | None:
        """Count the call and let time pass."""
        self.for_jobs.append((method, is_background()))
        self._under_way += 1
        self.most = max(self.most, self._under_way)
        try:
            await sleep(self._chance.uniform(0, CALL))
            return await super().begin(method)
        finally:
            self._under_way -= 1


def slow_product(seed: int) -> Product:
    """Return a product whose steps take as long as this chance wants."""
    chance, product = Random(seed), Product()  # noqa: S311 - no secret
    product.storage = SlowStorage(chance)
    product.calendly = SlowCalendly(product, chance)
    return product
