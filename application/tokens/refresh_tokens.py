"""Refresh one integration's tokens, or wait for the process that does."""

import asyncio
from datetime import timedelta

from application.ports.clock import Clock
from application.ports.randomness import Randomness
from application.ports.storage.breakers import Surface
from application.ports.storage.unit_of_work import Storage
from application.resilience.circuit_breakers import CircuitBreakers
from application.tokens.connected import read_connected
from application.tokens.refresh_under_lease import RefreshUnderLease
from domain.errors import (
    CalendlyThrottled,
    CalendlyUncertain,
    GrantRefused,
    ReauthRequired,
    RefreshInProgress,
)
from domain.ids import IntegrationId
from domain.integration import Integration, Lease, still_open, usable_tokens

POLL = 0.1  # seconds between reads while another process refreshes, before jitter
POLLS = 100


class RefreshTokens:
    """Single flight across processes: never refreshes without the lease."""

    def __init__(
        self,
        *,
        storage: Storage,
        refresh: RefreshUnderLease,
        circuit_breakers: CircuitBreakers,
        clock: Clock,
        randomness: Randomness,
        owner: str,
        lease_ttl: timedelta,
    ) -> None:
        self._storage = storage
        self._refresh_under_lease = refresh
        self._circuit_breakers = circuit_breakers
        self._clock = clock
        self._randomness = randomness
        self._owner = owner
        self._lease_ttl = lease_ttl

    async def run(
        self, integration_id: IntegrationId, *, stale_version: int | None = None
    ) -> Integration:
        """Return the integration with tokens newer than the stale ones.

        Args:
            integration_id: whose tokens.
            stale_version: the version that was found not to work; a newer one found stored is
                returned without another exchange. None: refresh the current one.

        Raises:
            ReauthRequired: the grant is dead.
            RefreshInProgress: another process holds the lease and did not finish in time.
            CalendlyThrottled: Calendly wants the user's token requests to rest; nothing was sent.
            CircuitOpen: the breaker of Calendly's OAuth is open, for the holder of the lease too.
            IntegrationNotFound, and what RefreshUnderLease raises.

        """
        for _ in range(POLLS):
            integration = await read_connected(self._storage, integration_id)
            version = usable_tokens(integration).version
            stale_version = version if stale_version is None else stale_version
            if version > stale_version:
                return integration
            taken = await self._take(integration_id)
            if taken is not None:
                return await self._refresh(*taken, stale_version)
            self._refuse_while_in_doubt(integration)
            await self._refuse_while_paused(integration)
            await self._circuit_breakers.raise_if_open(Surface.OAUTH)
            await asyncio.sleep(POLL * (0.5 + self._randomness.fraction()))
        raise RefreshInProgress(
            "Another process is refreshing this integration; try again shortly.", retry_after=5
        )

    async def _refresh(
        self, integration: Integration, lease: Lease, stale_version: int
    ) -> Integration:
        if usable_tokens(integration).version > stale_version:
            # Another process finished between our read and our lease.
            async with self._storage() as uow:
                await uow.refresh_queue.release(integration.id, lease)
                await uow.commit()
            return integration
        try:
            return await self._refresh_under_lease.run(integration, lease)
        except GrantRefused as error:
            # All callers get the same error with its cause, whether they found the grant dead or not.
            current = await read_connected(self._storage, integration.id)
            try:
                usable_tokens(current)
            except ReauthRequired as dead:
                raise dead from error
            return current

    def _refuse_while_in_doubt(self, integration: Integration) -> None:
        """Do not wait for a lease without a worker: its request may still be under way."""
        left = still_open(integration, self._clock.now())
        if left is not None and integration.last_error_code == CalendlyUncertain.code:
            raise RefreshInProgress(
                "Calendly's answer to a refresh is missing; the token is not sent again yet.",
                retry_after=left.total_seconds(),
            )

    async def _refuse_while_paused(self, integration: Integration) -> None:
        """Do not wait for a lease without a worker: it lasts as long as Calendly asked."""
        now = self._clock.now()
        throttled = integration.last_error_code == CalendlyThrottled.code
        if not throttled or still_open(integration, now) is not None:
            return
        async with self._storage() as uow:
            until = await uow.refresh_queue.paused_until(integration.id, now)
        if until is not None:
            raise CalendlyThrottled(
                "Calendly asked for fewer token requests of this user; they rest for now.",
                retry_after=(until - now).total_seconds(),
            )

    async def _take(self, integration_id: IntegrationId) -> tuple[Integration, Lease] | None:
        now = self._clock.now()
        async with self._storage() as uow:
            taken = await uow.refresh_queue.take(
                integration_id, self._owner, now, now + self._lease_ttl
            )
            await uow.commit()
        return taken
