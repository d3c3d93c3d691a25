"""Exchange the tokens of an integration that is being disconnected, so that it can be withdrawn.

The new pair is stored before anybody uses it: one that only a dying process knew would outlive
the integration at Calendly.
"""

import asyncio
from contextlib import suppress
from datetime import timedelta

from application.circuits import Circuits
from application.ports.breakers import Surface
from application.ports.calendly_oauth import CalendlyOAuth
from application.ports.clock import Clock
from application.ports.entropy import Entropy
from application.ports.unit_of_work import Storage
from application.ports.vault import Vault
from application.token_sealing import holds, seal_pair
from domain.backoff import RetryPolicy, next_delay
from domain.errors import CalendlyError, RefreshInProgress, SlotkeeperError, StorageUnavailable
from domain.integration import Integration, Lease, refreshed
from domain.secret import Secret
from domain.token import SealedTokens, TokenPair

# A new pair that is not stored cannot be withdrawn: nearly as long as the lease lasts.
STORING = RetryPolicy(base=timedelta(milliseconds=200), cap=timedelta(seconds=5), limit=12)


class LastExchange:
    """Spends a refresh token under a lease that was taken to disconnect."""

    def __init__(
        self,
        *,
        storage: Storage,
        vault: Vault,
        oauth: CalendlyOAuth,
        circuits: Circuits,
        clock: Clock,
        entropy: Entropy,
        lease_ttl: timedelta,
    ) -> None:
        self._storage = storage
        self._vault = vault
        self._oauth = oauth
        self._circuits = circuits
        self._clock = clock
        self._entropy = entropy
        self._lease_ttl = lease_ttl

    async def __call__(
        self, integration: Integration, tokens: SealedTokens, refresh: Secret, lease: Lease
    ) -> None:
        """Exchange and store; afterwards the new pair is stored and the lease is free.

        Cancelled, however often, it gives way only once what it began is stored.

        Args:
            integration: as it was when the lease was taken.
            tokens: its tokens.
            refresh: the refresh token among them, opened.
            lease: taken with `disconnecting`.

        Raises:
            GrantRefused: the refresh token is spent, revoked or unknown.
            RefreshInProgress: the lease was lost; nothing was sent, or the new pair given back.
            StorageUnavailable, CircuitOpen, the CalendlyError family: try again later.

        """
        work = asyncio.ensure_future(self._exchange(integration, tokens, refresh, lease))
        try:
            await asyncio.shield(work)
        except asyncio.CancelledError:
            # A shutdown half-way would lose the answer, and with it the way to withdraw.
            while not work.done():
                with suppress(asyncio.CancelledError, SlotkeeperError):
                    await asyncio.shield(work)
            raise

    async def _exchange(
        self, integration: Integration, tokens: SealedTokens, refresh: Secret, lease: Lease
    ) -> None:
        await self._record_start(integration, lease)
        # What comes of it is stored within the call: the circuit keeps its own record after.
        await self._circuits.call(
            Surface.OAUTH, lambda: self._spend(integration, tokens, refresh, lease)
        )

    async def _spend(
        self, integration: Integration, tokens: SealedTokens, refresh: Secret, lease: Lease
    ) -> None:
        pair = await self._oauth.refresh(refresh, user_uri=integration.account.user_uri)
        changed = refreshed(
            integration,
            seal_pair(self._vault, integration.id, pair, version=tokens.version + 1),
            self._clock.now(),
            scopes=pair.scopes,
            organization_uri=pair.organization_uri,
        )
        try:
            stored = await self._store(changed, lease, tokens.version)
            stored = stored or await self._is_stored(integration, pair)
        except StorageUnavailable:
            await self._give_back(pair)
            raise
        if not stored:
            await self._give_back(pair)
            raise RefreshInProgress("Another process took this disconnection over.")

    async def _record_start(self, integration: Integration, lease: Lease) -> None:
        now = self._clock.now()
        async with self._storage() as uow:
            mine = await uow.refresh_queue.begin_exchange(
                integration.id, lease, now, now + self._lease_ttl
            )
            await uow.commit()
        if not mine:
            raise RefreshInProgress("Another process took this disconnection over.")

    async def _store(self, changed: Integration, lease: Lease, version: int) -> bool:
        attempt = 1
        while True:
            try:
                async with self._storage() as uow:
                    stored = await uow.refresh_queue.finish(
                        changed, lease, expected_version=version, next_attempt_at=None
                    )
                    await uow.commit()
            except StorageUnavailable as error:
                pause = next_delay(STORING, attempt, error, self._entropy.chance())
                if pause is None:
                    raise
            else:
                return stored
            attempt += 1
            await asyncio.sleep(pause.total_seconds())

    async def _is_stored(self, integration: Integration, pair: TokenPair) -> bool:
        """Whether an earlier attempt stored the pair and only its answer was lost."""
        async with self._storage() as uow:
            current = await uow.integrations.get(integration.id)
        return current is not None and holds(self._vault, current, pair)

    async def _give_back(self, pair: TokenPair) -> None:
        """Revoke a pair that nobody else knows."""
        for token in (pair.refresh, pair.access):
            with suppress(CalendlyError):
                await self._oauth.revoke(token)
