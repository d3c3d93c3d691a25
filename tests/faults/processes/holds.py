"""Points at which a refresh can be made to stop, so that its process is killed there.

The service's code runs unchanged: only its store and its transport are wrapped.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from contextvars import ContextVar

import httpx

from adapters.persistence.repositories.refresh_queue import PiccoloRefreshQueue
from adapters.persistence.session import Session
from adapters.persistence.storage import PiccoloStorage
from adapters.persistence.unit_of_work import PiccoloUnitOfWork
from application.ports.storage.refresh_queue import RefreshEnd, RefreshStart, StartResult
from domain.ids import IntegrationId
from tests.fakes.refresh_log import SingleRefreshLog

CLAIMED = "claimed"
RECORDED = "recorded"
PROCESSED = "processed"
ANSWERED = "answered"
WRITTEN = "written"
COMMITTED = "committed"

_refreshing: ContextVar[IntegrationId | None] = ContextVar("_refreshing", default=None)


class Holds:
    """The step at which each refresh stops; a refresh that stops prints the step."""

    def __init__(self, plan: Mapping[str, str]) -> None:
        self._plan = plan

    async def at(self, step: str, integration_id: IntegrationId | None) -> None:
        """Pass, or never return."""
        if integration_id is None or self._plan.get(str(integration_id)) != step:
            return
        sys.stdout.write(f"{step}\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


class HeldQueue(PiccoloRefreshQueue):
    """The refresh queue with holds before the start is recorded and before the outcome is."""

    def __init__(self, session: Session, holds: Holds) -> None:
        super().__init__(session)
        self._holds = holds
        self.finished: IntegrationId | None = None

    async def begin(self, starts: Sequence[RefreshStart]) -> list[StartResult]:
        """Hold an integration that is claimed and not recorded."""
        for each in starts:
            _refreshing.set(each.integration_id)
            await self._holds.at(CLAIMED, each.integration_id)
        return await super().begin(starts)

    async def finish(self, ends: Sequence[RefreshEnd]) -> list[bool]:
        """Hold an outcome that is answered and not written."""
        for each in ends:
            await self._holds.at(ANSWERED, each.integration.id)
            self.finished = each.integration.id
        return await super().finish(ends)


class HeldUnitOfWork(PiccoloUnitOfWork):
    """A unit of work with holds on both sides of the commit that ends a refresh."""

    def __init__(self, real: PiccoloUnitOfWork, storage: "HeldStorage") -> None:
        super().__init__(real._transaction, storage._vault, storage._hash_keys)
        self._holds = storage.holds
        self._queue = self.refresh_queue = HeldQueue(Session(), storage.holds)

    async def commit(self) -> None:
        """Hold what is written and not committed, and what is committed."""
        await self._holds.at(WRITTEN, self._queue.finished)
        await super().commit()
        await self._holds.at(COMMITTED, self._queue.finished)


class HeldStorage(PiccoloStorage):
    """The real store, whose units of work hold."""

    def __init__(self, real: PiccoloStorage, holds: Holds) -> None:
        vars(self).update(vars(real))
        self.holds = holds

    @asynccontextmanager
    async def __call__(self) -> AsyncIterator[PiccoloUnitOfWork]:
        """Begin."""
        async with super().__call__() as uow:
            yield HeldUnitOfWork(uow, self)

    def refresh_log(self) -> SingleRefreshLog:  # type: ignore[override]
        """Write one record at a time: one that is held must not delay the others."""
        return SingleRefreshLog(self)


class HeldTransport(httpx.AsyncBaseTransport):
    """The real transport, with holds before a request leaves and before its answer is read."""

    def __init__(self, real: httpx.AsyncBaseTransport, holds: Holds) -> None:
        self._real = real
        self._holds = holds

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request."""
        await self._holds.at(RECORDED, _refreshing.get())
        response = await self._real.handle_async_request(request)
        await self._holds.at(PROCESSED, _refreshing.get())
        return response

    async def aclose(self) -> None:
        """Close the real one."""
        await self._real.aclose()
