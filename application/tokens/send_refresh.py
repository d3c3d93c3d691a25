"""One token request, from the record that it is about to leave to the stored outcome.

Nothing may happen between Calendly's answer and the first attempt to store it but sealing it.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import msgspec

from application.ports.calendly.oauth import CalendlyOAuth
from application.ports.clock import Clock
from application.ports.storage.refresh_queue import RefreshStart
from application.ports.storage.unit_of_work import Storage
from application.ports.telemetry import Telemetry
from application.ports.unsaved_tokens import UnsavedTokenPair, UnsavedTokens
from application.ports.vault import Vault
from application.resilience.retry import RetryBudget
from application.tokens.refresh_results import RefreshResults
from application.tokens.revoke import revoke_unused
from application.tokens.store_refusal import StoreRefusal
from application.tokens.token_encryption import seal_pair
from domain.errors import (
    CalendlyUncertain,
    GrantRefused,
    IntegrationNotFound,
    RefreshInProgress,
    SlotkeeperError,
)
from domain.integration import (
    Cause,
    Integration,
    Lease,
    Status,
    in_doubt,
    needs_person,
    refreshed,
    sealed_tokens,
    still_open,
    with_error,
)
from domain.refresh_outcome import Outcome
from domain.secret import Secret
from domain.token import TokenPair, outlasts_request, requests_used_up

RefreshResult = tuple[Integration, Outcome]

NOT_ROTATED: Final = "refresh_token_not_rotated"


@dataclass(frozen=True)
class RefreshRequest:
    """One refresh: the integration as it was read with its lease, and the token to send."""

    integration: Integration
    lease: Lease
    refresh: Secret
    unsaved_tokens: UnsavedTokens | None
    budget: RetryBudget


class SendRefresh:
    def __init__(
        self,
        *,
        storage: Storage,
        vault: Vault,
        oauth: CalendlyOAuth,
        results: RefreshResults,
        refusal: StoreRefusal,
        clock: Clock,
        telemetry: Telemetry,
        lease_ttl: timedelta,
        doubt: timedelta,
    ) -> None:
        self._storage = storage
        self._log = storage.refresh_log()
        self._vault = vault
        self._oauth = oauth
        self._results = results
        self._refusal = refusal
        self._clock = clock
        self._telemetry = telemetry
        self._lease_ttl = lease_ttl
        self._doubt = doubt

    async def run(self, request: RefreshRequest) -> RefreshResult:
        """Exchange; see RefreshUnderLease for what it raises."""
        await self._refuse_in_doubt(request)
        await self._record_start(request)
        started = self._clock.now()
        integration, lease = request.integration, request.lease
        try:
            pair = await self._oauth.refresh(
                request.refresh, user_uri=integration.account.user_uri
            )
        except GrantRefused as error:
            return await self._refused(request, error)
        except CalendlyUncertain as error:
            uncertain = msgspec.structs.replace(
                integration, exchange_started_at=started, exchange_unanswered=True
            )
            await self._results.retry_later(uncertain, lease, error)
            raise
        except SlotkeeperError as error:
            await self._results.retry_later(integration, lease, error)
            raise
        return await self._commit(request, pair, started)

    async def _refuse_in_doubt(self, request: RefreshRequest) -> None:
        """Send nothing while the new pair of an earlier exchange may still be stored."""
        left = in_doubt(request.integration, self._clock.now(), self._doubt)
        if left is None:
            return
        waiting = RefreshInProgress(
            "An earlier refresh has no recorded outcome; its new tokens may still be stored.",
            retry_after=left.total_seconds(),
        )
        await self._results.retry_later(request.integration, request.lease, waiting)
        raise waiting

    async def _record_start(self, request: RefreshRequest) -> None:
        integration, lease, now = request.integration, request.lease, self._clock.now()
        until = now + self._lease_ttl
        version = sealed_tokens(integration).version
        start = await self._log.begin(RefreshStart(integration.id, lease, now, until, version))
        if start.granted and outlasts_request(until, self._clock.now()):
            return
        if start.granted:
            late = RefreshInProgress(
                "The store was slow; the lease is nearly over.", retry_after=5
            )
            await self._results.retry_later(integration, lease, late)
            raise late
        if start.wait is None:
            await self._results.release(integration, lease)
            raise RefreshInProgress("Another process took over this refresh.", retry_after=1)
        # The count on the row gives the same answer to the next request, without a lease.
        await self._results.postpone(integration, lease, now + start.wait)
        raise requests_used_up(start.wait)

    async def _commit(
        self, request: RefreshRequest, pair: TokenPair, started: datetime
    ) -> RefreshResult:
        integration = request.integration
        now, version = self._clock.now(), sealed_tokens(integration).version
        if pair.owner_uri != integration.account.user_uri:
            changed = needs_person(integration, Cause.OWNER_CHANGED, now, code=Cause.OWNER_CHANGED)
            error = GrantRefused("Calendly answered a token refresh for another account.")
            return await self._give_up(changed, request, error)
        tokens = seal_pair(self._vault, integration.id, pair, version=version + 1)
        unsaved = UnsavedTokenPair(
            integration_id=integration.id,
            connected_at=integration.connected_at,
            replaces=version,
            exchanged_at=now,
            tokens=tokens,
            scopes=pair.scopes,
            organization_uri=pair.organization_uri,
        )
        changed = refreshed(
            integration,
            tokens,
            now,
            scopes=pair.scopes,
            organization_uri=pair.organization_uri,
            client_id=self._oauth.client_id,
        )
        if not pair.rotated:
            # Should the token turn out dead it was spent here, not withdrawn by the user.
            changed = msgspec.structs.replace(
                with_error(changed, NOT_ROTATED, now),
                exchange_started_at=started,
                exchange_unanswered=True,
            )
        if await self._stored(changed, request, unsaved):
            await self._report_if_revived(changed, request)
            return changed, Outcome.REFRESHED
        current = await self._reread(integration)
        if current is None or (
            current.status is Status.DISCONNECTING and _version(current) != tokens.version
        ):
            await revoke_unused(self._oauth, (pair.refresh, pair.access))
        return _result_of_faster(current)

    async def _stored(
        self, changed: Integration, request: RefreshRequest, unsaved: UnsavedTokenPair
    ) -> bool:
        unsaved_tokens = request.unsaved_tokens
        if unsaved_tokens is not None:
            unsaved_tokens.keep(unsaved)
        stored = await self._results.store(
            changed, request.lease, request.integration, request.budget, unsaved_tokens
        )
        if unsaved_tokens is not None:
            unsaved_tokens.drop(unsaved)
        return stored

    async def _report_if_revived(self, changed: Integration, request: RefreshRequest) -> None:
        """Report a late pair that revived an integration which had been given up."""
        asked_again = request.integration.status is Status.REAUTH_REQUIRED
        late = request.budget.tried or self._clock.now() >= request.lease.expires_at
        if not (asked_again or late):
            return
        current = await self._reread(changed)
        if current and current.recovery and current.recovery.at == changed.last_refreshed_at:
            self._telemetry.integration_recovered(changed.id, current.recovery.cause)

    async def _refused(self, request: RefreshRequest, error: GrantRefused) -> RefreshResult:
        now, integration = self._clock.now(), request.integration
        left = still_open(integration, now)
        if left is None:
            return await self._store_refusal(request, error)
        waiting = RefreshInProgress(
            "An earlier refresh of this integration may be under way still; try again shortly.",
            retry_after=left.total_seconds(),
        )
        if await self._results.retry_later(integration, request.lease, waiting):
            raise waiting from error
        return _result_of_faster(await self._reread(integration), error)

    async def _store_refusal(self, request: RefreshRequest, error: GrantRefused) -> RefreshResult:
        stored = await self._refusal.run(request.integration, request.lease, error)
        if stored is None:
            await self._results.release(request.integration, request.lease)
            return _result_of_faster(await self._reread(request.integration), error)
        if stored.held_back:
            return stored.integration, Outcome.HELD_BACK
        raise error

    async def _give_up(
        self, changed: Integration, request: RefreshRequest, error: GrantRefused
    ) -> RefreshResult:
        """Store that a person is needed, unless a faster process has a live pair."""
        before = request.integration
        if await self._results.store(changed, request.lease, before, RetryBudget()):
            raise error
        return _result_of_faster(await self._reread(before), error)

    async def _reread(self, before: Integration) -> Integration | None:
        async with self._storage() as uow:
            return await uow.integrations.get(before.id)


def _version(integration: Integration) -> int | None:
    return integration.tokens.version if integration.tokens else None


def _result_of_faster(
    current: Integration | None, error: GrantRefused | None = None
) -> RefreshResult:
    """Return the row that a faster process stored, or raise the error that it means."""
    if current is None:
        raise IntegrationNotFound("The integration was disconnected in the meantime.")
    if error is not None and current.status is Status.REAUTH_REQUIRED:
        raise error
    return current, Outcome.LOST_RACE
