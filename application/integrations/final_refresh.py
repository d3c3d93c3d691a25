"""Exchange the tokens of an integration that is being disconnected, so that it can be withdrawn.

The new pair is stored before it is used. A pair known only to a process that dies would stay valid
at Calendly after the integration is gone.
"""

import asyncio
from datetime import timedelta

from application.ports.calendly.oauth import CalendlyOAuth
from application.ports.clock import Clock
from application.ports.randomness import Randomness
from application.ports.storage.breakers import Surface
from application.ports.storage.refresh_queue import RefreshEnd, RefreshStart
from application.ports.storage.unit_of_work import Storage
from application.ports.vault import Vault
from application.resilience.circuit_breakers import CircuitBreakers
from application.resilience.retry import RetryBudget, retry_until_stored
from application.resilience.shield import shield_until_done
from application.tokens.revoke import revoke_unused
from application.tokens.token_encryption import holds, seal_pair
from domain.errors import RefreshInProgress, StorageUnavailable
from domain.integration import Integration, Lease, refreshed
from domain.secret import Secret
from domain.token import SealedTokens, TokenPair, outlasts_request, requests_used_up


class FinalRefresh:
    def __init__(
        self,
        *,
        storage: Storage,
        vault: Vault,
        oauth: CalendlyOAuth,
        circuit_breakers: CircuitBreakers,
        clock: Clock,
        randomness: Randomness,
        lease_ttl: timedelta,
    ) -> None:
        self._storage = storage
        self._log = storage.refresh_log()
        self._vault = vault
        self._oauth = oauth
        self._circuit_breakers = circuit_breakers
        self._clock = clock
        self._randomness = randomness
        self._lease_ttl = lease_ttl

    async def run(
        self, integration: Integration, tokens: SealedTokens, refresh: Secret, lease: Lease
    ) -> None:
        """Exchange and store; afterwards the new pair is stored and the lease is free.

        If canceled, any number of times, it returns only after its outcome is stored.

        Args:
            integration: as it was when the lease was taken.
            tokens: its tokens.
            refresh: the refresh token among them, opened.
            lease: taken with `disconnecting`.

        Raises:
            GrantRefused: the refresh token is spent, revoked or unknown.
            RefreshInProgress: the lease was lost; nothing was sent, or the new pair was revoked.
            StorageUnavailable, CircuitOpen, the CalendlyError family: try again later.

        """
        budget = RetryBudget()
        work = asyncio.ensure_future(self._exchange(integration, tokens, refresh, lease, budget))
        await shield_until_done(work, budget)

    async def _exchange(
        self,
        integration: Integration,
        tokens: SealedTokens,
        refresh: Secret,
        lease: Lease,
        budget: RetryBudget,
    ) -> None:
        # The outcome is stored within the call: the breaker records its own result afterwards.
        await self._circuit_breakers.call(
            Surface.OAUTH,
            lambda: self._spend(integration, tokens, refresh, lease, budget),
            subject=str(integration.user_id),
        )

    async def _spend(
        self,
        integration: Integration,
        tokens: SealedTokens,
        refresh: Secret,
        lease: Lease,
        budget: RetryBudget,
    ) -> None:
        await self._record_start(integration, tokens, lease)
        pair = await self._oauth.refresh(refresh, user_uri=integration.account.user_uri)
        changed = refreshed(
            integration,
            seal_pair(self._vault, integration.id, pair, version=tokens.version + 1),
            self._clock.now(),
            scopes=pair.scopes,
            organization_uri=pair.organization_uri,
            client_id=self._oauth.client_id,
        )
        try:
            stored = await self._store(changed, lease, tokens.version, budget)
        except StorageUnavailable:
            await revoke_unused(self._oauth, (pair.refresh, pair.access))
            raise
        if not stored and not await self._is_stored(integration, pair):
            await revoke_unused(self._oauth, (pair.refresh, pair.access))
            raise RefreshInProgress("Another process took this disconnection over.")

    async def _record_start(
        self, integration: Integration, tokens: SealedTokens, lease: Lease
    ) -> None:
        now = self._clock.now()
        until = now + self._lease_ttl
        start = await self._log.begin(
            RefreshStart(integration.id, lease, now, until, tokens.version)
        )
        if start.granted and outlasts_request(until, self._clock.now()):
            return
        if start.wait is not None:
            raise requests_used_up(start.wait)
        raise RefreshInProgress("Another process took this disconnection over.")

    async def _store(
        self, changed: Integration, lease: Lease, version: int, budget: RetryBudget
    ) -> bool:
        return await retry_until_stored(
            lambda: self._log.finish(RefreshEnd(changed, lease, version)),
            randomness=self._randomness,
            budget=budget,
        )

    async def _is_stored(self, integration: Integration, pair: TokenPair) -> bool:
        """Whether an earlier attempt stored the pair and only its answer was lost."""
        async with self._storage() as uow:
            current = await uow.integrations.get(integration.id)
        return current is not None and holds(self._vault, current, pair)
