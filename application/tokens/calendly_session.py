"""Calls to Calendly's API for one integration: right token, breaker, one refresh on a 401.

A wait that Calendly asked of a user holds in every process. It is stored on the integration, which
is read for each call, or once for calls that are made together.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from msgspec.structs import replace

from application.ports.calendly.rate_limits import RateLimits
from application.ports.clock import Clock
from application.ports.randomness import Randomness
from application.ports.storage.breakers import Surface
from application.ports.storage.unit_of_work import Storage
from application.ports.vault import Vault
from application.resilience.circuit_breakers import CircuitBreakers
from application.tokens.connected import read_connected
from application.tokens.refresh_tokens import RefreshTokens
from application.tokens.token_encryption import open_access
from domain.errors import (
    AccessTokenRejected,
    CalendlyError,
    CalendlyThrottled,
    EncryptionKeyUnknown,
    StorageUnavailable,
)
from domain.ids import IntegrationId
from domain.integration import Integration, usable_tokens
from domain.retries import RetryTable
from domain.token import Access

T = TypeVar("T")


class Seen:
    """An integration as a caller with several calls last saw it; its tokens are sealed.

    It spares each call a read of the store, so it serves calls of a few seconds only. A call that
    reads a newer integration leaves it here for the others.

    Attributes:
        integration: as it was.
        holds: no call has shown that its tokens are spent.

    """

    def __init__(self, integration: Integration) -> None:
        self.integration = integration
        self.holds = True


@dataclass(frozen=True, kw_only=True)
class CalendlySession:
    storage: Storage
    vault: Vault
    refresh: RefreshTokens
    circuit_breakers: CircuitBreakers
    clock: Clock
    randomness: Randomness
    rate_limits: RateLimits
    retries: RetryTable

    async def call(
        self,
        integration_id: IntegrationId,
        work: Callable[[Access], Awaitable[T]],
        *,
        seen: Seen | None = None,
    ) -> T:
        """Run one call for an integration.

        A token that has died is refreshed first. A 401 refreshes once and repeats the call once:
        Calendly processed nothing then. A 403 never refreshes. A call that Calendly did not process,
        for a transient reason, is repeated a few times; one that may have been processed never is.
        While Calendly asks the user's calls to wait nothing is sent. A short wait is awaited here.

        Args:
            integration_id: whose.
            work: the call.
            seen: the integration, for a caller who has just read it; None reads it.

        Raises:
            CalendlyThrottled: the user has to wait longer; `retry_after` in seconds.
            ReauthRequired, IntegrationNotFound, CircuitOpen, the rest of the CalendlyError family.

        """
        if seen is None or not seen.holds:
            seen = Seen(await read_connected(self.storage, integration_id))
        integration = await self._live(seen)
        try:
            return await self._attempt(integration, seen, work)
        except AccessTokenRejected:
            seen.holds = False
            fresh = await self._renew(seen, usable_tokens(integration).version)
            return await self._attempt(fresh, seen, work)

    async def _attempt(
        self, integration: Integration, seen: Seen, work: Callable[[Access], Awaitable[T]]
    ) -> T:
        access = open_access(self.vault, integration)
        if integration.last_error_code == EncryptionKeyUnknown.code:
            await self._end_quarantine(seen)
        # One call to the shared breaker, no matter how often it is repeated: otherwise one account
        # that fails for its own reasons would stop all accounts.
        return await self.circuit_breakers.call(
            Surface.API,
            lambda: self._repeat(seen, lambda: work(access)),
            subject=str(integration.user_id),
        )

    async def _end_quarantine(self, seen: Seen) -> None:
        """Clear the error of a missing key: the key is back, for the token just opened."""
        code = EncryptionKeyUnknown.code
        seen.integration = replace(seen.integration, last_error_code=None, error_since=None)
        # Without the store the error stays until the next call or run.
        with suppress(StorageUnavailable):
            async with self.storage() as uow:
                await uow.integrations.clear_error(seen.integration.id, code)
                await uow.commit()

    async def _repeat(self, seen: Seen, work: Callable[[], Awaitable[T]]) -> T:
        attempt = 1
        while True:
            try:
                return await work()
            except CalendlyError as error:
                if isinstance(error, CalendlyThrottled):
                    await self._pause(seen)
                pause = self.retries.in_request(error, attempt, self.randomness.fraction())
                if pause is None:
                    raise
            attempt += 1
            await asyncio.sleep(pause.total_seconds())

    async def _pause(self, seen: Seen) -> None:
        """Pause the user's calls in all processes, if Calendly itself asked for it."""
        integration = seen.integration
        until = self.rate_limits.paused_until(integration.account.user_uri)
        known = integration.calls_paused_until
        if until is None or (known is not None and known >= until):
            return
        seen.integration = replace(integration, calls_paused_until=until)
        # Without the store the others learn it the hard way; this call's outcome goes on.
        with suppress(StorageUnavailable):
            async with self.storage() as uow:
                await uow.integrations.put_calls_paused(integration.id, until)
                await uow.commit()

    async def _live(self, seen: Seen) -> Integration:
        integration = seen.integration
        tokens = usable_tokens(integration)
        await self._rest(integration)
        if tokens.expires_at <= self.clock.now():
            return await self._renew(seen, tokens.version)
        return integration

    async def _renew(self, seen: Seen, stale_version: int) -> Integration:
        fresh = await self.refresh.run(seen.integration.id, stale_version=stale_version)
        seen.integration, seen.holds = fresh, True
        return fresh

    async def _rest(self, integration: Integration) -> None:
        until = integration.calls_paused_until
        left = timedelta() if until is None else until - self.clock.now()
        if left <= timedelta():
            return
        if left > self.retries.request.cap:
            raise CalendlyThrottled(
                "Calendly asked for fewer requests of this user; they rest for now.",
                retry_after=left.total_seconds(),
            )
        await asyncio.sleep(left.total_seconds())
