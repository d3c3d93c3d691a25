"""Turn an authorization code into an integration: exchange it, store the grant, start its first jobs."""

from contextlib import suppress
from dataclasses import dataclass

import msgspec

from application.integrations.begin_connect import verifier_bound_to
from application.integrations.store_integration import StoredIntegration, StoreIntegration
from application.ports.calendly.accounts import CalendlyAccounts
from application.ports.calendly.oauth import CalendlyOAuth
from application.ports.jobs import Jobs
from application.ports.storage.breakers import Surface
from application.ports.storage.connect_attempts import ConnectAttempt
from application.ports.storage.unit_of_work import UnitOfWork
from application.ports.telemetry import Telemetry
from application.ports.vault import Vault
from application.resilience.circuit_breakers import CircuitBreakers
from domain.errors import JobsUnavailable, ScopesDeclined, SlotkeeperError
from domain.ids import IntegrationId
from domain.integration import Account, Recovery, Status
from domain.secret import Secret
from domain.token import Access, TokenPair, missing_scopes


class ConnectedAccount(msgspec.Struct, frozen=True):
    """An account that is connected.

    Args:
        integration_id: the integration.
        account: the Calendly account.
        recovery: what the integration came back from, when it had needed a person until now.
        replaced: the integration whose place it took, which is being disconnected.

    """

    integration_id: IntegrationId
    account: Account
    recovery: Recovery | None = None
    replaced: IntegrationId | None = None

    @property
    def recovered(self) -> bool:
        """Whether the integration had needed a person until now."""
        return self.recovery is not None


@dataclass(frozen=True, kw_only=True)
class ConnectAccount:
    """Completes a flow that the caller has taken. If a step fails, no partial change is stored."""

    vault: Vault
    oauth: CalendlyOAuth
    accounts: CalendlyAccounts
    circuit_breakers: CircuitBreakers
    jobs: Jobs
    telemetry: Telemetry
    store: StoreIntegration
    redirect_uri: str

    async def __call__(self, attempt: ConnectAttempt, code: Secret) -> ConnectedAccount:
        """Connect the account that the code was issued for to the user who began the flow.

        Raises:
            GrantRefused: Calendly does not accept the code.
            ScopesDeclined: the user granted too little.
            AccountMismatch, DisconnectInProgress: see `StoreIntegration`.
            SealedValueUnreadable: the flow's verifier does not open.
            CalendlyError, CircuitOpen, StorageUnavailable: not now; the code is used up.

        """
        pair = await self._exchange(attempt, code)
        try:
            _check_scopes(pair)
            account = await self._account(attempt, pair)
        except SlotkeeperError:
            await self.store.discard(pair)
            raise
        stored = await self.store.run(attempt, pair, account)
        self._report(stored)
        integration = stored.integration
        # Without the workflow engine the schedules take the integration up once it is back.
        with suppress(JobsUnavailable):
            await self.jobs.onboard(integration.id)
        return ConnectedAccount(
            integration.id, integration.account, stored.recovery, stored.replaced
        )

    def _report(self, stored: StoredIntegration) -> None:
        integration_id = stored.integration.id
        self.telemetry.integration_connected(integration_id, recovered=stored.recovery is not None)
        if stored.recovery is not None:
            self.telemetry.integration_recovered(integration_id, stored.recovery.cause)
        if stored.replaced is not None:
            self.telemetry.integration_replaced(stored.replaced, integration_id)

    async def _exchange(self, attempt: ConnectAttempt, code: Secret) -> TokenPair:
        verifier = self.vault.open(attempt.sealed_verifier, verifier_bound_to(attempt.state_hash))
        return await self.circuit_breakers.call(
            Surface.OAUTH,
            lambda: self.oauth.exchange_code(
                code=code, verifier=verifier, redirect_uri=self.redirect_uri
            ),
            subject=str(attempt.user_id),
        )

    async def _account(self, attempt: ConnectAttempt, pair: TokenPair) -> Account:
        access = Access(token=pair.access, user_uri=pair.owner_uri)
        # The user, not the flow: a person who tries five times is still one account.
        return await self.circuit_breakers.call(
            Surface.API, lambda: self.accounts.me(access), subject=str(attempt.user_id)
        )


async def find_connected(uow: UnitOfWork, attempt: ConnectAttempt) -> ConnectedAccount | None:
    """Return what a completed flow connected, as long as it is active; None otherwise."""
    if attempt.connected_id is None:
        return None
    integration = await uow.integrations.get(attempt.connected_id)
    if integration is None or integration.status is not Status.ACTIVE:
        return None
    return ConnectedAccount(integration.id, integration.account)


def _check_scopes(pair: TokenPair) -> None:
    missing = missing_scopes(pair.scopes)
    if missing:
        raise ScopesDeclined(
            f"Calendly granted less than is needed; allow {', '.join(missing)} as well.",
            missing=missing,
        )
