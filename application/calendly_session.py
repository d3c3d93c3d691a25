"""Calls to Calendly's API for one integration: right token, breaker, one refresh on a 401."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from application.circuits import Circuits
from application.ports.breakers import Surface
from application.ports.clock import Clock
from application.ports.entropy import Entropy
from application.ports.unit_of_work import Storage
from application.ports.vault import Vault
from application.refresh_tokens import RefreshTokens
from application.token_sealing import open_access
from domain.backoff import RetryPolicy, next_delay
from domain.errors import (
    AccessTokenRejected,
    CalendlyThrottled,
    CalendlyUnavailable,
    IntegrationNotFound,
)
from domain.ids import IntegrationId
from domain.integration import Integration, usable_tokens
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
        retries: RetryPolicy,
    ) -> None:
        self._storage = storage
        self._vault = vault
        self._refresh = refresh
        self._circuits = circuits
        self._clock = clock
        self._entropy = entropy
        self._retries = retries

    async def call(
        self, integration_id: IntegrationId, work: Callable[[Access], Awaitable[T]]
    ) -> T:
        """Run one call for an integration.

        A token that has died is refreshed first. A 401 refreshes once and repeats the call once:
        Calendly processed nothing then. A 403 never refreshes. What Calendly did not process
        for a passing reason is repeated a few times; what it may have processed never is.

        Raises:
            ReauthRequired, IntegrationNotFound, CircuitOpen, the CalendlyError family.

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
        return await self._circuits.call(Surface.API, lambda: self._repeat(access, work))

    async def _repeat(self, access: Access, work: Callable[[Access], Awaitable[T]]) -> T:
        attempt = 1
        while True:
            try:
                return await work(access)
            except (CalendlyUnavailable, CalendlyThrottled) as error:
                pause = next_delay(self._retries, attempt, error, self._entropy.chance())
                if pause is None:
                    raise
            attempt += 1
            await asyncio.sleep(pause.total_seconds())

    async def _live(self, integration_id: IntegrationId) -> Integration:
        async with self._storage() as uow:
            integration = await uow.integrations.get(integration_id)
        if integration is None:
            raise IntegrationNotFound("No Calendly account is connected.")
        tokens = usable_tokens(integration)
        if tokens.expires_at <= self._clock.now():
            return await self._refresh(integration_id, stale_version=tokens.version)
        return integration
