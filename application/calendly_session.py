"""Calls to Calendly's API for one integration: right token, breaker, one refresh on a 401.

A user whom Calendly asked to slow down rests in every process: the word is on the integration,
which is read for each call anyway.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from typing import TypeVar

from application.circuits import Circuits
from application.ports.breakers import Surface
from application.ports.call_pauses import CallPauses
from application.ports.clock import Clock
from application.ports.entropy import Entropy
from application.ports.unit_of_work import Storage
from application.ports.vault import Vault
from application.refresh_tokens import RefreshTokens
from application.token_sealing import open_access
from domain.errors import (
    AccessTokenRejected,
    CalendlyError,
    CalendlyThrottled,
    IntegrationNotFound,
    StorageUnavailable,
)
from domain.ids import IntegrationId
from domain.integration import Integration, usable_tokens
from domain.retries import RetryTable
from domain.token import Access

T = TypeVar("T")


class CalendlySession:
    """The way every use case reaches Calendly's API."""

    def __init__(
        self,
        *,
        storage: Storage,
        vault: Vault,
        refresh: RefreshTokens,
        circuits: Circuits,
        clock: Clock,
        entropy: Entropy,
        pauses: CallPauses,
        retries: RetryTable,
    ) -> None:
        self._storage = storage
        self._vault = vault
        self._refresh = refresh
        self._circuits = circuits
        self._clock = clock
        self._entropy = entropy
        self._pauses = pauses
        self._retries = retries

    async def call(
        self, integration_id: IntegrationId, work: Callable[[Access], Awaitable[T]]
    ) -> T:
        """Run one call for an integration.

        A token that has died is refreshed first. A 401 refreshes once and repeats the call once:
        Calendly processed nothing then. A 403 never refreshes. What Calendly did not process
        for a passing reason is repeated a few times; what it may have processed never is. While
        Calendly wants the user's calls to rest nothing is sent; a short rest is waited out.

        Raises:
            CalendlyThrottled: the user rests for longer; `retry_after` in seconds.
            ReauthRequired, IntegrationNotFound, CircuitOpen, the rest of the CalendlyError family.

        """
        integration = await self._live(integration_id)
        try:
            return await self._attempt(integration, work)
        except AccessTokenRejected:
            version = usable_tokens(integration).version
            fresh = await self._refresh(integration_id, stale_version=version)
            return await self._attempt(fresh, work)

    async def _attempt(
        self, integration: Integration, work: Callable[[Access], Awaitable[T]]
    ) -> T:
        access = open_access(self._vault, integration)
        # One call to the shared breaker, however often it is repeated: else a single account
        # that fails for its own reasons would hold back everybody's.
        return await self._circuits.call(
            Surface.API,
            lambda: self._repeat(integration, lambda: work(access)),
            subject=str(integration.id),
        )

    async def _repeat(self, integration: Integration, work: Callable[[], Awaitable[T]]) -> T:
        attempt = 1
        while True:
            try:
                return await work()
            except CalendlyError as error:
                if isinstance(error, CalendlyThrottled):
                    await self._pause(integration)
                pause = self._retries.in_request(error, attempt, self._entropy.chance())
                if pause is None:
                    raise
            attempt += 1
            await asyncio.sleep(pause.total_seconds())

    async def _pause(self, integration: Integration) -> None:
        """Let the user's calls rest in all processes, if it was Calendly that asked for it."""
        until = self._pauses.asked(integration.account.user_uri)
        known = integration.calls_paused_until
        if until is None or (known is not None and known >= until):
            return
        # Without the store the others learn it the hard way; this call's outcome goes on.
        with suppress(StorageUnavailable):
            async with self._storage() as uow:
                await uow.integrations.put_calls_paused(integration.id, until)
                await uow.commit()

    async def _live(self, integration_id: IntegrationId) -> Integration:
        async with self._storage() as uow:
            integration = await uow.integrations.get(integration_id)
        if integration is None:
            raise IntegrationNotFound("No Calendly account is connected.")
        tokens = usable_tokens(integration)
        await self._rest(integration)
        if tokens.expires_at <= self._clock.now():
            return await self._refresh(integration_id, stale_version=tokens.version)
        return integration

    async def _rest(self, integration: Integration) -> None:
        until = integration.calls_paused_until
        left = timedelta() if until is None else until - self._clock.now()
        if left <= timedelta():
            return
        if left > self._retries.request.cap:
            raise CalendlyThrottled(
                "Calendly asked for fewer requests of this user; they rest for now.",
                retry_after=left.total_seconds(),
            )
        await asyncio.sleep(left.total_seconds())
