"""Users of the product, whose requests call Calendly's API, and the outcomes of these requests."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from adapters.calendly.accounts import CalendlyAccountsGateway
from application.tokens.refresh_tokens import RefreshTokens
from domain.errors import CircuitOpen, SlotkeeperError
from domain.ids import IntegrationId
from domain.integration import Integration
from tests.faults.moved.stage import Stage

AT_ONCE = 8


class CountedRefresh(RefreshTokens):
    """The web process's refresh; `waited` counts the calls that had to wait for one."""

    def __init__(self, real: RefreshTokens) -> None:
        self._real = real
        self.waited = 0

    async def run(
        self, integration_id: IntegrationId, *, stale_version: int | None = None
    ) -> Integration:
        """Count, and refresh."""
        self.waited += 1
        return await self._real.run(integration_id, stale_version=stale_version)


class Users:
    """They ask who they are at Calendly: one read through the session that all reads go through.

    Attributes:
        calls: how many ended, by `ok` or the error's code.
        refused: how long each refusal by an open breaker took (seconds), if it said when to
            retry.
        refresh: counts the calls that waited for a refresh.

    """

    def __init__(self, stage: Stage) -> None:
        way = stage.web
        self.calls: Counter[str] = Counter()
        self.refused: list[float] = []
        self.refresh = CountedRefresh(way.refresh)
        self._accounts = CalendlyAccountsGateway(way.api)
        self._gate = asyncio.Semaphore(AT_ONCE)
        # The web's own session, with a refresh that counts.
        self._session = replace(way.session, refresh=self.refresh)

    async def call(self, callers: Iterable[IntegrationId]) -> None:
        """Let each of them make a request."""
        async with asyncio.TaskGroup() as group:
            for each in callers:
                group.create_task(self._call(each))

    async def _call(self, caller: IntegrationId) -> None:
        async with self._gate:
            began = time.monotonic()
            try:
                await self._session.call(caller, self._accounts.me)
            except SlotkeeperError as error:
                self.calls[error.code] += 1
                if isinstance(error, CircuitOpen) and error.retry_after:
                    self.refused.append(time.monotonic() - began)
            else:
                self.calls["ok"] += 1
