"""Exchange one refresh token under its lease: the only place that spends one.

The order is what keeps grants: record that the token may be spent, send, store the new pair by
compare-and-set, and only then see to anything else. Whatever ends this early leaves the record
behind, and the next refresher knows.
"""

import asyncio
from contextlib import suppress
from datetime import timedelta

import msgspec

from application.circuits import Circuits
from application.exchange_outcomes import ExchangeOutcomes
from application.ports.breakers import Surface
from application.ports.calendly_oauth import CalendlyOAuth
from application.ports.clock import Clock
from application.ports.entropy import Entropy
from application.ports.signals import Signals
from application.ports.unit_of_work import Storage
from application.ports.vault import Vault
from application.token_sealing import open_refresh, seal_pair
from domain.circuit_breaker import BreakerPolicy, admit, wait
from domain.errors import (
    CalendlyError,
    CalendlyUncertain,
    CircuitOpen,
    GrantRefused,
    IntegrationNotFound,
    RefreshInProgress,
    SealedValueUnreadable,
    SlotkeeperError,
)
from domain.integration import (
    Cause,
    Integration,
    Lease,
    Status,
    needs_person,
    refreshed,
    refused,
    still_open,
    usable_tokens,
)
from domain.secret import Secret
from domain.token import TokenPair

UNREADABLE_PAUSE = timedelta(hours=1)

REFRESHED = "refreshed"
LOST_RACE = "lost_race"


class ExchangeTokens:
    """Spends a refresh token for the next pair and stores what came of it."""

    def __init__(
        self,
        *,
        storage: Storage,
        vault: Vault,
        oauth: CalendlyOAuth,
        circuits: Circuits,
        clock: Clock,
        entropy: Entropy,
        signals: Signals,
        breaker_policy: BreakerPolicy,
        lease_ttl: timedelta,
    ) -> None:
        self._storage = storage
        self._vault = vault
        self._oauth = oauth
        self._circuits = circuits
        self._clock = clock
        self._signals = signals
        self._breaker_policy = breaker_policy
        self._lease_ttl = lease_ttl
        self._outcomes = ExchangeOutcomes(
            storage=storage,
            clock=clock,
            entropy=entropy,
            signals=signals,
            breaker_policy=breaker_policy,
        )

    async def __call__(self, integration: Integration, lease: Lease) -> Integration:
        """Refresh an integration whose lease the caller holds; the lease is given back.

        Cancelled, however often, it gives way only once what it began is stored.

        Returns:
            The integration with a live pair: ours, or the one of whoever was faster.

        Raises:
            GrantRefused: the grant is dead; `reauth_required` is stored.
            IntegrationNotFound: it was disconnected meanwhile; a new pair was revoked.
            CircuitOpen, CalendlyThrottled, CalendlyUnavailable, CalendlyUncertain, ClientRefused,
            SealedValueUnreadable, RefreshInProgress: it stays active and is tried again later.

        """
        work = asyncio.ensure_future(self._counted(integration, lease))
        try:
            return await asyncio.shield(work)
        except asyncio.CancelledError:
            # A shutdown or time-out half-way would lose the answer, and with it the grant.
            while not work.done():
                with suppress(asyncio.CancelledError, SlotkeeperError):
                    await asyncio.shield(work)
            raise

    async def _counted(self, integration: Integration, lease: Lease) -> Integration:
        try:
            fresh, outcome = await self._exchange(integration, lease)
        except SlotkeeperError as error:
            self._signals.token_refresh(integration.id, error.code)
            raise
        self._signals.token_refresh(integration.id, outcome)
        return fresh

    async def _exchange(self, integration: Integration, lease: Lease) -> tuple[Integration, str]:
        integration = await self._admit(integration, lease)
        try:
            refresh = open_refresh(self._vault, integration)
        except SealedValueUnreadable as error:
            # Kept as it is: an operator who puts the key back gets the grant back.
            await self._outcomes.put_off(integration, lease, error, UNREADABLE_PAUSE)
            raise
        await self._record_start(integration, lease)
        try:
            # What comes of it is stored within the call: the circuit keeps its own record after.
            return await self._circuits.call(
                Surface.OAUTH, lambda: self._spend(integration, lease, refresh)
            )
        except CircuitOpen as error:
            await self._outcomes.put_off(integration, lease, error)
            raise

    async def _admit(self, integration: Integration, lease: Lease) -> Integration:
        now = self._clock.now()
        admitted = admit(integration.breaker, now, self._breaker_policy)
        if admitted is not None:
            return msgspec.structs.replace(integration, breaker=admitted)
        await self._outcomes.release(integration, lease)
        left = wait(integration.breaker, now, self._breaker_policy) or timedelta(seconds=1)
        raise CircuitOpen(
            "Refreshing this integration failed repeatedly; it is tried again later.",
            retry_after=left.total_seconds(),
        )

    async def _record_start(self, integration: Integration, lease: Lease) -> None:
        now = self._clock.now()
        async with self._storage() as uow:
            mine = await uow.refresh_queue.begin_exchange(
                integration.id, lease, now, now + self._lease_ttl
            )
            if not mine:
                await uow.refresh_queue.release(integration.id, lease)
            await uow.commit()
        if not mine:
            raise RefreshInProgress("Another process took over this refresh.", retry_after=1)

    async def _spend(
        self, integration: Integration, lease: Lease, refresh: Secret
    ) -> tuple[Integration, str]:
        started = self._clock.now()
        try:
            pair = await self._oauth.refresh(refresh, user_uri=integration.account.user_uri)
        except GrantRefused as error:
            return await self._refused(integration, lease, error)
        except CalendlyUncertain as error:
            unsure = msgspec.structs.replace(integration, exchange_started_at=started)
            await self._outcomes.put_off(unsure, lease, error)
            raise
        except SlotkeeperError as error:
            await self._outcomes.put_off(integration, lease, error)
            raise
        return await self._commit(integration, lease, pair)

    async def _commit(
        self, integration: Integration, lease: Lease, pair: TokenPair
    ) -> tuple[Integration, str]:
        now = self._clock.now()
        if pair.owner_uri != integration.account.user_uri:
            changed = needs_person(integration, Cause.OWNER_CHANGED, now, code=Cause.OWNER_CHANGED)
            error = GrantRefused("Calendly answered a token refresh for another account.")
            return await self._give_up(changed, lease, integration, error)
        tokens = seal_pair(
            self._vault, integration.id, pair, version=usable_tokens(integration).version + 1
        )
        changed = refreshed(
            integration,
            tokens,
            now,
            scopes=pair.scopes,
            organization_uri=pair.organization_uri,
        )
        if await self._outcomes.store(changed, lease, integration):
            return changed, REFRESHED
        current = await self._reread(integration)
        if current is None or (
            current.status is Status.DISCONNECTING and current.tokens != changed.tokens
        ):
            await self._discard(pair)
        return self._overtaken(current)

    async def _refused(
        self, integration: Integration, lease: Lease, error: GrantRefused
    ) -> tuple[Integration, str]:
        now = self._clock.now()
        left = still_open(integration, now)
        if left is None:
            changed = refused(integration, now, code=error.code)
            return await self._give_up(changed, lease, integration, error)
        waiting = RefreshInProgress(
            "An earlier refresh of this integration may be under way still; try again shortly.",
            retry_after=left.total_seconds(),
        )
        if await self._outcomes.put_off(integration, lease, waiting):
            raise waiting from error
        return self._overtaken(await self._reread(integration), error)

    async def _give_up(
        self, changed: Integration, lease: Lease, before: Integration, error: GrantRefused
    ) -> tuple[Integration, str]:
        """Store that a person is needed, unless somebody faster has a live pair."""
        if await self._outcomes.store(changed, lease, before):
            raise error
        return self._overtaken(await self._reread(before), error)

    async def _reread(self, before: Integration) -> Integration | None:
        async with self._storage() as uow:
            return await uow.integrations.get(before.id)

    def _overtaken(
        self, current: Integration | None, error: GrantRefused | None = None
    ) -> tuple[Integration, str]:
        """Return the row as somebody faster left it, or raise what it means."""
        if current is None:
            raise IntegrationNotFound("The integration was disconnected in the meantime.")
        if error is not None and current.status is Status.REAUTH_REQUIRED:
            raise error
        return current, LOST_RACE

    async def _discard(self, pair: TokenPair) -> None:
        """Revoke a pair that has no row any more: nobody else knows of it."""
        for token in (pair.refresh, pair.access):
            with suppress(CalendlyError):
                await self._oauth.revoke(token)
