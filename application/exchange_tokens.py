"""Exchange one refresh token under its lease: the only place that spends one.

The order is what keeps grants: record that the token may be spent, send, store the new pair by
compare-and-set. Whatever ends this early leaves the record behind, and the next refresher knows.
"""

import asyncio
from contextlib import suppress
from datetime import datetime, timedelta

import msgspec

from application.circuits import Circuits
from application.ports.breakers import Surface
from application.ports.calendly_oauth import CalendlyOAuth
from application.ports.clock import Clock
from application.ports.entropy import Entropy
from application.ports.signals import Signals
from application.ports.unit_of_work import Storage
from application.ports.vault import Vault
from application.token_sealing import open_refresh, seal_pair
from domain.backoff import RetryPolicy, delay, next_delay
from domain.circuit_breaker import BreakerPolicy, admit, failed, is_outage, wait
from domain.errors import (
    CalendlyUncertain,
    CircuitOpen,
    GrantRefused,
    IntegrationNotFound,
    RefreshInProgress,
    SealedValueUnreadable,
    SlotkeeperError,
    StorageUnavailable,
)
from domain.integration import (
    Cause,
    Integration,
    Lease,
    Status,
    needs_person,
    refreshed,
    refused,
    usable_tokens,
)
from domain.token import TokenPair

PAUSE = RetryPolicy(base=timedelta(seconds=30), cap=timedelta(minutes=15))
UNREADABLE_PAUSE = timedelta(hours=1)
# A new pair that is not stored is a grant lost: nearly as long as the lease lasts.
STORING = RetryPolicy(base=timedelta(milliseconds=200), cap=timedelta(seconds=5), limit=12)

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
    ) -> None:
        self._storage = storage
        self._vault = vault
        self._oauth = oauth
        self._circuits = circuits
        self._clock = clock
        self._entropy = entropy
        self._signals = signals
        self._breaker_policy = breaker_policy

    async def __call__(self, integration: Integration, lease: Lease) -> Integration:
        """Refresh an integration whose lease the caller holds; the lease is given back.

        Cancelled, it gives way only once what it began is stored.

        Returns:
            The integration with a live pair: ours, or the one of whoever was faster.

        Raises:
            GrantRefused: the grant is dead; `reauth_required` is stored.
            CircuitOpen, CalendlyThrottled, CalendlyUnavailable, CalendlyUncertain, ClientRefused,
            SealedValueUnreadable, RefreshInProgress: it stays active and is tried again later.

        """
        work = asyncio.ensure_future(self._counted(integration, lease))
        try:
            return await asyncio.shield(work)
        except asyncio.CancelledError:
            # A shutdown or time-out half-way would lose the answer, and with it the grant.
            with suppress(SlotkeeperError):
                await work
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
            await self._put_off(integration, lease, error, UNREADABLE_PAUSE)
            raise
        if not await self._record_start(integration, lease):
            raise RefreshInProgress("Another process took over this refresh.", retry_after=1)
        started = self._clock.now()
        try:
            pair = await self._circuits.call(
                Surface.OAUTH,
                lambda: self._oauth.refresh(refresh, user_uri=integration.account.user_uri),
            )
        except GrantRefused as error:
            changed = refused(integration, self._clock.now(), code=error.code)
            return await self._give_up(changed, lease, integration, error)
        except CalendlyUncertain as error:
            unsure = msgspec.structs.replace(integration, exchange_started_at=started)
            await self._put_off(unsure, lease, error)
            raise
        except SlotkeeperError as error:
            await self._put_off(integration, lease, error)
            raise
        return await self._commit(integration, lease, pair)

    async def _admit(self, integration: Integration, lease: Lease) -> Integration:
        now = self._clock.now()
        admitted = admit(integration.breaker, now, self._breaker_policy)
        if admitted is not None:
            return msgspec.structs.replace(integration, breaker=admitted)
        await self._release(integration, lease)
        left = wait(integration.breaker, now, self._breaker_policy) or timedelta(seconds=1)
        raise CircuitOpen(
            "Refreshing this integration failed repeatedly; it is tried again later.",
            retry_after=left.total_seconds(),
        )

    async def _record_start(self, integration: Integration, lease: Lease) -> bool:
        async with self._storage() as uow:
            mine = await uow.refresh_queue.begin_exchange(integration.id, lease, self._clock.now())
            await uow.commit()
        return mine

    async def _commit(
        self, integration: Integration, lease: Lease, pair: TokenPair
    ) -> tuple[Integration, str]:
        now = self._clock.now()
        if pair.owner_uri != integration.account.user_uri:
            changed = needs_person(integration, Cause.OWNER_CHANGED, now, code=Cause.OWNER_CHANGED)
            error = GrantRefused("Calendly answered a token refresh for another account.")
            return await self._give_up(changed, lease, integration, error)
        version = usable_tokens(integration).version + 1
        tokens = seal_pair(self._vault, integration.id, pair, version=version)
        changed = refreshed(integration, tokens, now)
        changed = msgspec.structs.replace(changed, scopes=pair.scopes or integration.scopes)
        return await self._store(changed, lease, integration)

    async def _give_up(
        self, changed: Integration, lease: Lease, before: Integration, error: GrantRefused
    ) -> tuple[Integration, str]:
        """Store that a person is needed, unless somebody faster has a live pair."""
        current, outcome = await self._store(changed, lease, before)
        if current.status is Status.REAUTH_REQUIRED:
            raise error
        return current, outcome

    async def _store(
        self, changed: Integration, lease: Lease, before: Integration
    ) -> tuple[Integration, str]:
        """Commit the outcome, or return the row as somebody faster left it."""
        attempt = 1
        while True:
            try:
                stored = await self._finish(changed, lease, before)
                break
            except StorageUnavailable as error:
                pause = next_delay(STORING, attempt, error, self._entropy.chance())
                if pause is None:
                    raise
            attempt += 1
            await asyncio.sleep(pause.total_seconds())
        if not stored:
            return await self._reread(before), LOST_RACE
        if changed.attention is not None:
            self._signals.reauth_required(changed.id, changed.attention.cause)
        return changed, REFRESHED

    async def _finish(self, changed: Integration, lease: Lease, before: Integration) -> bool:
        async with self._storage() as uow:
            stored = await uow.refresh_queue.finish(
                changed,
                lease,
                expected_version=usable_tokens(before).version,
                next_attempt_at=None,
            )
            await uow.commit()
        return stored

    async def _reread(self, before: Integration) -> Integration:
        async with self._storage() as uow:
            current = await uow.integrations.get(before.id)
        if current is None:
            raise IntegrationNotFound("The integration was disconnected in the meantime.")
        return current

    async def _put_off(
        self,
        integration: Integration,
        lease: Lease,
        error: SlotkeeperError,
        pause: timedelta | None = None,
    ) -> None:
        """Store a passing failure: still active, tried again after a while."""
        now = self._clock.now()
        breaker = integration.breaker
        if is_outage(error):
            breaker = failed(breaker, now, self._breaker_policy)
        changed = msgspec.structs.replace(integration, breaker=breaker, last_error_code=error.code)
        async with self._storage() as uow:
            await uow.refresh_queue.finish(
                changed,
                lease,
                expected_version=usable_tokens(integration).version,
                next_attempt_at=self._next_attempt(now, breaker.failures, error, pause),
            )
            await uow.commit()

    def _next_attempt(
        self, now: datetime, failures: int, error: SlotkeeperError, pause: timedelta | None
    ) -> datetime:
        asked = timedelta(seconds=error.retry_after or 0)
        jittered = delay(PAUSE, max(failures, 1), self._entropy.chance())
        return now + (pause or max(asked, jittered))

    async def _release(self, integration: Integration, lease: Lease) -> None:
        async with self._storage() as uow:
            await uow.refresh_queue.release(integration.id, lease)
            await uow.commit()
