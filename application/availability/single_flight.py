"""Single flight for refreshes: one at a time for each user in this process, shared by all callers.

Requests that the running refresh does not include are collected for the next one. Between
processes the lease decides; one task here waits for it, regardless of the number of callers.

The rule not to break: a refresh is not owned by the request that started it. Cancelling a request
only ends that request's wait.
"""

import asyncio
import inspect
from collections.abc import Coroutine
from contextlib import nullcontext
from datetime import datetime
from typing import Any

from application.availability.refresh_cache import HELD, RefreshCache
from application.availability.refresh_scope import RequestedEntries, RequestedKeys
from application.jobs.error_location import report_bug
from application.ports.background import Background
from application.ports.randomness import Randomness
from application.ports.storage.availability_cache import CacheKey
from application.ports.storage.breakers import Surface
from application.ports.telemetry import Telemetry
from application.resilience.circuit_breakers import CircuitBreakers
from application.resilience.priority import in_background, is_background
from domain.errors import SlotkeeperError, StorageUnavailable
from domain.ids import IntegrationId

NAME = "refresh_availability"
WAIT_SECONDS = 5.0  # the longest wait for another process's lease
FIRST_POLL = 0.05  # seconds, doubled each time
LAST_POLL = 0.4
BACKGROUND_POLL = 1.0  # seconds between attempts while no caller waits


class _Refresh:
    """One refresh. `ended` is False if another process held the lease all the time."""

    def __init__(self) -> None:
        self.requested: dict[CacheKey, datetime | None] = {}
        self.waited_for = False
        self.ended: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    def add(self, requested: RequestedKeys, *, waited_for: bool) -> None:
        """Add entries, before it begins."""
        self.waited_for = self.waited_for or waited_for
        for key, moment in requested.items():
            earlier = self.requested.get(key)
            self.requested[key] = max(filter(None, (earlier, moment)), default=None)

    def includes(self, requested: RequestedKeys) -> bool:
        """Whether it fetches all of them; its results may still be too old."""
        return all(key in self.requested for key in requested)


class _UserRefreshes:
    """The refreshes of one user: the running one, and the next one."""

    def __init__(self) -> None:
        self.current: _Refresh | None = None
        self.next: _Refresh | None = None

    def join(self, requested: RequestedKeys, *, waited_for: bool) -> _Refresh:
        if self.current is not None and self.current.includes(requested):
            self.current.waited_for = self.current.waited_for or waited_for
            return self.current
        self.next = self.next or _Refresh()
        self.next.add(requested, waited_for=waited_for)
        return self.next


class SingleFlight:
    """Refreshes the entries that callers found old or missing."""

    def __init__(
        self,
        *,
        refresh_cache: RefreshCache,
        circuit_breakers: CircuitBreakers,
        background: Background,
        randomness: Randomness,
        telemetry: Telemetry,
    ) -> None:
        self._refresh_cache = refresh_cache
        self._circuit_breakers = circuit_breakers
        self._background = background
        self._randomness = randomness
        self._telemetry = telemetry
        self._by_user: dict[IntegrationId, _UserRefreshes] = {}

    def in_background(self, integration_id: IntegrationId, requested: RequestedKeys) -> None:
        """Refresh entries in the background, or join the running refresh."""
        self._join(integration_id, requested, waited_for=False)

    async def wait(
        self, integration_id: IntegrationId, requested: RequestedKeys, seconds: float
    ) -> bool | None:
        """Refresh entries and wait for the end.

        Returns:
            True when the refresh ended, even if entries failed. False when another process held
            the lease all the time. None when it takes longer than `seconds`.

        """
        refresh = self._join(integration_id, requested, waited_for=not is_background())
        await asyncio.wait({refresh.ended}, timeout=seconds)
        return refresh.ended.result() if refresh.ended.done() else None

    async def is_breaker_open(self) -> bool:
        """Whether Calendly is failing, so that a refresh would end before it sends anything."""
        try:
            return await self._circuit_breakers.wait(Surface.API) is not None
        except StorageUnavailable:
            return False

    def _join(
        self, integration_id: IntegrationId, requested: RequestedKeys, *, waited_for: bool
    ) -> _Refresh:
        of_user = self._by_user.get(integration_id)
        if of_user is not None:
            return of_user.join(requested, waited_for=waited_for)
        of_user = self._by_user[integration_id] = _UserRefreshes()
        refresh = of_user.join(requested, waited_for=waited_for)
        work = self._run_all(integration_id, of_user)
        self._background.run(NAME, work, vital=waited_for)
        if _was_refused(work):
            del self._by_user[integration_id]
            refresh.ended.set_result(False)
        return refresh

    async def _run_all(self, integration_id: IntegrationId, of_user: _UserRefreshes) -> None:
        """Run the refreshes of a user one after the other, until none is requested."""
        try:
            while of_user.next is not None:
                refresh = of_user.current = of_user.next
                of_user.next = None
                refresh.ended.set_result(await self._run(integration_id, refresh))
        finally:
            del self._by_user[integration_id]
            for left in (of_user.current, of_user.next):
                if left is not None and not left.ended.done():
                    left.ended.set_result(False)

    async def _run(self, integration_id: IntegrationId, refresh: _Refresh) -> bool:
        loop = asyncio.get_running_loop()
        until, poll = loop.time() + WAIT_SECONDS, FIRST_POLL
        while True:
            ended = await self._attempt(integration_id, refresh)
            if ended or loop.time() >= until:
                return ended
            if refresh.waited_for:
                await asyncio.sleep(poll * (0.5 + self._randomness.fraction()))
                poll = min(2 * poll, LAST_POLL)
                continue
            # The lease holder refreshes the same entries. Callers that arrive during this pause
            # join here, so that they do not each try to take the lease.
            await asyncio.sleep(BACKGROUND_POLL)
            if not refresh.waited_for:
                return ended

    async def _attempt(self, integration_id: IntegrationId, refresh: _Refresh) -> bool:
        waited_for = refresh.waited_for
        if not waited_for and await self.is_breaker_open():
            return True
        scope = RequestedEntries(refresh.requested, waited_for=waited_for)
        try:
            with nullcontext() if waited_for else in_background():
                result = await self._refresh_cache.refresh(integration_id, scope)
        except SlotkeeperError:
            return True  # each stored entry has the error code
        except Exception as error:  # noqa: BLE001 - each caller gets an error of its own
            report_bug(self._telemetry, error)
            return True
        return result != HELD


def _was_refused(work: Coroutine[Any, Any, None]) -> bool:
    return inspect.getcoroutinestate(work) == inspect.CORO_CLOSED
