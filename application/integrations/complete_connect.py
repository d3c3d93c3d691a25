"""Complete a connect flow: exchange the code, store the integration, start its first jobs."""

import hmac
from contextlib import suppress

import msgspec

from application.integrations.begin_connect import verifier_bound_to
from application.integrations.store_integration import StoredIntegration, StoreIntegration
from application.ports.calendly.accounts import CalendlyAccounts
from application.ports.calendly.oauth import CalendlyOAuth
from application.ports.clock import Clock
from application.ports.jobs import Jobs
from application.ports.randomness import Randomness
from application.ports.storage.breakers import Surface
from application.ports.storage.connect_attempts import ConnectAttempt
from application.ports.storage.unit_of_work import Storage, UnitOfWork
from application.ports.telemetry import Telemetry
from application.ports.vault import Vault
from application.resilience.circuit_breakers import CircuitBreakers
from application.security.hashing import digest
from domain.errors import (
    CalendlyRejected,
    CalendlyUnavailable,
    ConnectStateInvalid,
    ConsentDenied,
    InvalidInput,
    JobsUnavailable,
    ScopesDeclined,
    SlotkeeperError,
)
from domain.ids import IntegrationId, UserId
from domain.integration import Account, Recovery, Status
from domain.secret import Secret
from domain.token import Access, TokenPair, missing_scopes


class ConnectOutcome(msgspec.Struct, frozen=True):
    """How a flow with a good state ended: an integration, or the error to show.

    Args:
        recovery: what the integration came back from, when it had needed a person until now.
        replaced: the integration whose place it took, which is being disconnected.

    """

    integration_id: IntegrationId | None = None
    return_to: str | None = None
    error: SlotkeeperError | None = None
    recovery: Recovery | None = None
    replaced: IntegrationId | None = None

    @property
    def recovered(self) -> bool:
        """Whether the integration had needed a person until now."""
        return self.recovery is not None


class CompleteConnect:
    """Takes the callback. If a step fails, no partial change is stored."""

    def __init__(
        self,
        *,
        storage: Storage,
        vault: Vault,
        oauth: CalendlyOAuth,
        accounts: CalendlyAccounts,
        circuit_breakers: CircuitBreakers,
        jobs: Jobs,
        clock: Clock,
        randomness: Randomness,
        telemetry: Telemetry,
        redirect_uri: str,
    ) -> None:
        self._storage = storage
        self._vault = vault
        self._oauth = oauth
        self._accounts = accounts
        self._circuit_breakers = circuit_breakers
        self._jobs = jobs
        self._clock = clock
        self._telemetry = telemetry
        self._redirect_uri = redirect_uri
        self._store = StoreIntegration(
            storage=storage,
            vault=vault,
            oauth=oauth,
            jobs=jobs,
            clock=clock,
            randomness=randomness,
        )

    async def __call__(
        self,
        *,
        state: str | None,
        code: str | None,
        error: str | None,
        browser_token: str | None,
        user_id: UserId | None,
    ) -> ConnectOutcome:
        """Complete the flow that `state` names.

        A flow that connected an account answers so again until it expires, without any effect.

        Args:
            state: as Calendly echoed it.
            code: the authorization code, unless there is an error.
            error: the error code that the consent page answered with instead of a code.
            browser_token: the cookie of the browser that came back.
            user_id: who the caller is, when it proved that.

        Raises:
            ConnectStateInvalid: unknown, failed, expired, another browser's or another user's;
                the right browser and user may still come.

        """
        attempt = await self._take(state, browser_token, user_id)
        if attempt.connected_id is not None:
            return ConnectOutcome(attempt.connected_id, attempt.return_to)
        try:
            kept = await self._connect(attempt, code, error)
        except SlotkeeperError as failure:
            return ConnectOutcome(return_to=attempt.return_to, error=failure)
        self._say(kept)
        integration_id = kept.integration.id
        # Without the workflow engine the schedules take the integration up once it is back.
        with suppress(JobsUnavailable):
            await self._jobs.onboard(integration_id)
        return ConnectOutcome(
            integration_id, attempt.return_to, recovery=kept.recovery, replaced=kept.replaced
        )

    def _say(self, kept: StoredIntegration) -> None:
        integration_id = kept.integration.id
        self._telemetry.integration_connected(integration_id, recovered=kept.recovery is not None)
        if kept.recovery is not None:
            self._telemetry.integration_recovered(integration_id, kept.recovery.cause)
        if kept.replaced is not None:
            self._telemetry.integration_replaced(kept.replaced, integration_id)

    async def _take(
        self, state: str | None, browser_token: str | None, user_id: UserId | None
    ) -> ConnectAttempt:
        """Delete the flow and return it, but only for its own user: others do not use it up.

        A completed flow is returned as it is, while its integration is active.
        """
        async with self._storage() as uow:
            attempt = await uow.connect_attempts.find(digest(state or ""))
            if attempt is not None and self._is_good(attempt, browser_token, user_id):
                if attempt.connected_id is None:
                    attempt = await uow.connect_attempts.take(attempt.state_hash)
                    await uow.commit()
                elif not await _is_active(uow, attempt.connected_id):
                    attempt = None
                if attempt is not None:
                    return attempt
        raise ConnectStateInvalid(
            "This connect link was used already, has expired or belongs to another user; "
            "start again from your application."
        )

    def _is_good(
        self, attempt: ConnectAttempt, browser_token: str | None, user_id: UserId | None
    ) -> bool:
        return (
            (attempt.connected_until or attempt.expires_at) > self._clock.now()
            and _same_browser(attempt, browser_token)
            and user_id in {None, attempt.user_id}
        )

    async def _connect(
        self, attempt: ConnectAttempt, code: str | None, error: str | None
    ) -> StoredIntegration:
        if error is not None:
            raise consent_error(error)
        if not code:
            raise InvalidInput("The callback carries neither a code nor an error.")
        pair = await self._exchange(attempt, Secret(code))
        try:
            self._check_scopes(pair)
            account = await self._account(attempt, pair)
        except SlotkeeperError:
            await self._store.discard(pair)
            raise
        return await self._store.run(attempt, pair, account)

    async def _exchange(self, attempt: ConnectAttempt, code: Secret) -> TokenPair:
        verifier = self._vault.open(attempt.sealed_verifier, verifier_bound_to(attempt.state_hash))
        return await self._circuit_breakers.call(
            Surface.OAUTH,
            lambda: self._oauth.exchange_code(
                code=code, verifier=verifier, redirect_uri=self._redirect_uri
            ),
            subject=str(attempt.user_id),
        )

    def _check_scopes(self, pair: TokenPair) -> None:
        missing = missing_scopes(pair.scopes)
        if missing:
            raise ScopesDeclined(
                f"Calendly granted less than is needed; allow {', '.join(missing)} as well.",
                missing=missing,
            )

    async def _account(self, attempt: ConnectAttempt, pair: TokenPair) -> Account:
        access = Access(token=pair.access, user_uri=pair.owner_uri)
        # The user, not the flow: a person who tries five times is still one account.
        return await self._circuit_breakers.call(
            Surface.API, lambda: self._accounts.me(access), subject=str(attempt.user_id)
        )


async def _is_active(uow: UnitOfWork, integration_id: IntegrationId) -> bool:
    integration = await uow.integrations.get(integration_id)
    return integration is not None and integration.status is Status.ACTIVE


def _same_browser(attempt: ConnectAttempt, browser_token: str | None) -> bool:
    if attempt.browser_hash is None:
        return True
    return browser_token is not None and hmac.compare_digest(
        digest(browser_token), attempt.browser_hash
    )


_DENIED = "access_denied"
_PASSING = frozenset({"server_error", "temporarily_unavailable"})
_SCOPE = "invalid_scope"


def consent_error(code: str) -> SlotkeeperError:
    """Return the error to show for the callback's `error` parameter.

    Only `access_denied` says that the person refused. The code is not repeated in any message:
    any person with the link may have written it.
    """
    if code == _DENIED:
        return ConsentDenied("Access to Calendly was refused; nothing was connected.")
    if code in _PASSING:
        return CalendlyUnavailable(
            "Calendly could not show its consent page at the moment; nothing was connected, "
            "try again."
        )
    if code == _SCOPE:
        return CalendlyRejected(
            "Calendly does not let this app ask for the permissions it needs; an operator has "
            "to allow its scopes in Calendly's developer console."
        )
    return CalendlyRejected(
        "Calendly did not accept the connect request; an operator has to check the client id "
        "and the redirect URI in Calendly's developer console."
    )
