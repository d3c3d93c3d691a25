"""Refresh one token pair under its lease: the only way to send a refresh token.

The order keeps the grant. Record that the token may be spent, send it, store the new pair by
compare-and-set, and only then do anything else. If a step is interrupted the record remains, and
the next refresh reads it.
"""

import asyncio
from datetime import timedelta

import msgspec

from application.ports.background import Background
from application.ports.calendly.oauth import CalendlyOAuth
from application.ports.clock import Clock
from application.ports.randomness import Randomness
from application.ports.storage.breakers import Surface
from application.ports.storage.unit_of_work import Storage
from application.ports.telemetry import Telemetry
from application.ports.unsaved_tokens import UnsavedTokens
from application.ports.vault import Vault
from application.resilience.circuit_breakers import CircuitBreakers, mass_refusal
from application.resilience.retry import RetryBudget
from application.resilience.shield import shield_until_done, wait_for_either
from application.tokens.refresh_results import RefreshResults
from application.tokens.send_refresh import RefreshRequest, RefreshResult, SendRefresh
from application.tokens.store_refusal import StoreRefusal
from application.tokens.token_encryption import open_refresh
from domain.circuit_breaker import Breaker, BreakerPolicy, admit, wait
from domain.errors import (
    CircuitOpen,
    SealedValueUnreadable,
    SlotkeeperError,
    StorageUnavailable,
)
from domain.integration import Integration, Lease, foreign_grant, is_foreign
from domain.refresh_outcome import Outcome
from domain.refusal import RefusalPolicy


class RefreshUnderLease:
    def __init__(
        self,
        *,
        storage: Storage,
        vault: Vault,
        oauth: CalendlyOAuth,
        circuit_breakers: CircuitBreakers,
        background: Background,
        clock: Clock,
        randomness: Randomness,
        telemetry: Telemetry,
        breaker_policy: BreakerPolicy,
        lease_ttl: timedelta,
        refusals: RefusalPolicy,
        brake: BreakerPolicy,
        doubt: timedelta,
    ) -> None:
        self._vault = vault
        self._oauth = oauth
        self._circuit_breakers = circuit_breakers
        self._background = background
        self._clock = clock
        self._telemetry = telemetry
        self._breaker_policy = breaker_policy
        self._results = RefreshResults(
            storage=storage,
            clock=clock,
            randomness=randomness,
            telemetry=telemetry,
            breaker_policy=breaker_policy,
        )
        self._send = SendRefresh(
            storage=storage,
            vault=vault,
            oauth=oauth,
            results=self._results,
            refusal=StoreRefusal(
                storage=storage,
                circuit_breakers=circuit_breakers,
                clock=clock,
                randomness=randomness,
                telemetry=telemetry,
                brake=brake,
                policy=refusals,
            ),
            clock=clock,
            telemetry=telemetry,
            lease_ttl=lease_ttl,
            doubt=doubt,
        )

    async def run(
        self, integration: Integration, lease: Lease, unsaved_tokens: UnsavedTokens | None = None
    ) -> Integration:
        """Refresh an integration whose lease the caller holds; the lease is released.

        If canceled, it leaves the work to this process, which stores the outcome in the background
        and shortens its retries only when it shuts down. While the store is down a new pair waits in
        this process. With `unsaved_tokens` the caller waits too, and the pair outlives the process.
        Without it the caller gets an error after RETRY_SECONDS.

        Returns:
            The integration with a live pair: this one, or that of a faster process.

        Raises:
            GrantRefused: the grant is dead; `reauth_required` is stored.
            IntegrationNotFound: it was disconnected during the refresh; a new pair was revoked.
            CircuitOpen, CalendlyThrottled, CalendlyUnavailable, CalendlyUncertain, ClientRefused,
            SealedValueUnreadable, RefreshInProgress, StorageUnavailable: it stays active and is
                tried again later.

        """
        budget = RetryBudget(seconds=None)
        work: asyncio.Task[Integration] = asyncio.ensure_future(
            self._counted(integration, lease, unsaved_tokens, budget)
        )
        waits_for = budget.exhausted if unsaved_tokens is None else asyncio.Event()
        try:
            await wait_for_either(work, waits_for)
        except asyncio.CancelledError:
            self._continue_in_background(work, budget)
            raise
        if not work.done():
            self._continue_in_background(work, budget)
            raise StorageUnavailable(
                "PostgreSQL is down; the new tokens are stored once it is back.", retry_after=5
            )
        return work.result()

    def _continue_in_background(
        self, work: asyncio.Task[Integration], budget: RetryBudget
    ) -> None:
        """Let the work go on in this process; it ends before the process does."""
        storing = shield_until_done(work, budget)
        self._background.run("store_new_tokens", storing, vital=True)

    async def _counted(
        self,
        integration: Integration,
        lease: Lease,
        unsaved_tokens: UnsavedTokens | None,
        budget: RetryBudget,
    ) -> Integration:
        try:
            fresh, outcome = await self._refresh(integration, lease, unsaved_tokens, budget)
        except SlotkeeperError as error:
            self._telemetry.token_refresh(integration.id, error.code)
            raise
        self._telemetry.token_refresh(integration.id, outcome)
        return fresh

    async def _refresh(
        self,
        integration: Integration,
        lease: Lease,
        unsaved_tokens: UnsavedTokens | None,
        budget: RetryBudget,
    ) -> RefreshResult:
        await self._refuse_foreign(integration, lease)
        integration = await self._admit(integration, lease)
        try:
            refresh = open_refresh(self._vault, integration)
        except SealedValueUnreadable as error:
            await self._results.retry_later(integration, lease, error)
            raise
        request = RefreshRequest(integration, lease, refresh, unsaved_tokens, budget)
        try:
            brake = await self._circuit_breakers.admit(
                Surface.MASS_REFUSAL, str(integration.user_id)
            )
            fresh, outcome = await self._call(request, brake)
        except CircuitOpen as error:
            await self._results.retry_later(integration, lease, error)
            raise
        if outcome is not Outcome.HELD_BACK:
            return fresh, outcome
        left = await self._circuit_breakers.wait(Surface.MASS_REFUSAL)
        raise mass_refusal(left or timedelta(seconds=1))

    async def _call(self, request: RefreshRequest, brake: Breaker) -> RefreshResult:
        """Send behind Calendly's breaker; a pair that comes while the brake probes ends it."""
        outcome = Outcome.HELD_BACK
        try:
            # The outcome is stored within the call: the breaker records its own result afterwards.
            fresh, outcome = await self._circuit_breakers.call(
                Surface.OAUTH,
                lambda: self._send.run(request),
                subject=str(request.integration.user_id),
            )
        finally:
            if outcome is Outcome.REFRESHED:
                await self._circuit_breakers.report_success(Surface.MASS_REFUSAL, brake)
            else:
                await self._circuit_breakers.release(Surface.MASS_REFUSAL, brake)
        return fresh, outcome

    async def _refuse_foreign(self, integration: Integration, lease: Lease) -> None:
        """Send nothing for a grant of another client: Calendly would call it invalid."""
        if not is_foreign(integration, self._oauth.client_id):
            return
        error = foreign_grant()
        await self._results.hold_back(integration, lease, error)
        raise error

    async def _admit(self, integration: Integration, lease: Lease) -> Integration:
        now = self._clock.now()
        admitted = admit(integration.breaker, now, self._breaker_policy)
        if admitted is not None:
            return msgspec.structs.replace(integration, breaker=admitted)
        left = wait(integration.breaker, now, self._breaker_policy) or timedelta(seconds=1)
        await self._results.postpone(integration, lease, now + left)
        raise CircuitOpen(
            "Refreshing this integration failed repeatedly; it is tried again later.",
            retry_after=left.total_seconds(),
        )
