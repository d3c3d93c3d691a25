"""Complete a connect flow: exchange the code, store the integration, start its first jobs."""

import hmac
from contextlib import suppress

import msgspec

from application.begin_connect import verifier_bound_to
from application.circuits import Circuits
from application.consent_errors import consent_error
from application.digests import digest
from application.ports.breakers import Surface
from application.ports.calendly_accounts import CalendlyAccounts
from application.ports.calendly_oauth import CalendlyOAuth
from application.ports.clock import Clock
from application.ports.connect_attempts import ConnectAttempt
from application.ports.entropy import Entropy
from application.ports.jobs import Jobs
from application.ports.signals import Signals
from application.ports.unit_of_work import Storage
from application.ports.vault import Vault
from application.token_sealing import holds, seal_pair
from domain.errors import (
    AccountMismatch,
    CalendlyError,
    ConnectStateInvalid,
    DisconnectInProgress,
    InvalidInput,
    JobsUnavailable,
    ScopesDeclined,
    SlotkeeperError,
    StorageUnavailable,
)
from domain.ids import IntegrationId, UserId
from domain.integration import Account, Integration, Status
from domain.secret import Secret
from domain.token import Access, TokenPair, missing_scopes


class ConnectOutcome(msgspec.Struct, frozen=True):
    """How a flow with a good state ended: an integration, or the error to show."""

    integration_id: IntegrationId | None = None
    return_to: str | None = None
    error: SlotkeeperError | None = None
    recovered: bool = False


class CompleteConnect:
    """Takes the callback. Whatever goes wrong, nothing is left half-made."""

    def __init__(
        self,
        *,
        storage: Storage,
        vault: Vault,
        oauth: CalendlyOAuth,
        accounts: CalendlyAccounts,
        circuits: Circuits,
        jobs: Jobs,
        clock: Clock,
        entropy: Entropy,
        signals: Signals,
        redirect_uri: str,
    ) -> None:
        self._storage = storage
        self._vault = vault
        self._oauth = oauth
        self._accounts = accounts
        self._circuits = circuits
        self._jobs = jobs
        self._clock = clock
        self._entropy = entropy
        self._signals = signals
        self._redirect_uri = redirect_uri

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

        Args:
            state: as Calendly echoed it.
            code: the authorization code, unless there is an error.
            error: the error code that the consent page answered with instead of a code.
            browser_token: the cookie of the browser that came back.
            user_id: who the caller is, when it proved that.

        Raises:
            ConnectStateInvalid: unknown, used, expired, another browser's or another user's;
                the right browser and user may still come.

        """
        attempt = await self._take(state, browser_token, user_id)
        try:
            integration, recovered = await self._connect(attempt, code, error)
        except SlotkeeperError as failure:
            return ConnectOutcome(return_to=attempt.return_to, error=failure)
        self._signals.connected(integration.id, recovered=recovered)
        # Without the workflow engine the schedules take the integration up once it is back.
        with suppress(JobsUnavailable):
            await self._jobs.onboard(integration.id)
        return ConnectOutcome(integration.id, attempt.return_to, recovered=recovered)

    async def _take(
        self, state: str | None, browser_token: str | None, user_id: UserId | None
    ) -> ConnectAttempt:
        """Take the flow out of the store, but only for whom it is: others do not spend it."""
        async with self._storage() as uow:
            attempt = await uow.connect_attempts.find(digest(state or ""))
            if attempt is not None and self._is_good(attempt, browser_token, user_id):
                attempt = await uow.connect_attempts.take(attempt.state_hash)
                await uow.commit()
                if attempt is not None:
                    return attempt
        raise ConnectStateInvalid(
            "This connect link was used already, has expired or belongs to somebody else; "
            "start again from your application."
        )

    def _is_good(
        self, attempt: ConnectAttempt, browser_token: str | None, user_id: UserId | None
    ) -> bool:
        return (
            attempt.expires_at > self._clock.now()
            and _same_browser(attempt, browser_token)
            and user_id in {None, attempt.user_id}
        )

    async def _connect(
        self, attempt: ConnectAttempt, code: str | None, error: str | None
    ) -> tuple[Integration, bool]:
        if error is not None:
            raise consent_error(error)
        if not code:
            raise InvalidInput("The callback carries neither a code nor an error.")
        pair = await self._exchange(attempt, Secret(code))
        try:
            self._check_scopes(pair)
            account = await self._account(pair)
        except SlotkeeperError:
            await self._discard(pair)
            raise
        return await self._keep(attempt.user_id, pair, account)

    async def _exchange(self, attempt: ConnectAttempt, code: Secret) -> TokenPair:
        verifier = self._vault.open(attempt.sealed_verifier, verifier_bound_to(attempt.state_hash))
        return await self._circuits.call(
            Surface.OAUTH,
            lambda: self._oauth.exchange_code(
                code=code, verifier=verifier, redirect_uri=self._redirect_uri
            ),
        )

    def _check_scopes(self, pair: TokenPair) -> None:
        missing = missing_scopes(pair.scopes)
        if missing:
            raise ScopesDeclined(
                f"Calendly granted less than is needed; allow {', '.join(missing)} as well.",
                missing=missing,
            )

    async def _account(self, pair: TokenPair) -> Account:
        access = Access(token=pair.access, user_uri=pair.owner_uri)
        return await self._circuits.call(Surface.API, lambda: self._accounts.me(access))

    async def _keep(
        self, user_id: UserId, pair: TokenPair, account: Account
    ) -> tuple[Integration, bool]:
        """Store the grant, or give it back; a commit may have counted though its answer is lost.

        Raises:
            StorageUnavailable: not stored; or it is not known, and then nothing is given back,
                since that would end an integration that may be stored as active.

        """
        try:
            return await self._store(user_id, pair, account)
        except StorageUnavailable:
            async with self._storage() as uow:
                # The lock waits for our own commit, should the server still be at it.
                stored = await uow.integrations.for_user(user_id, lock=True)
            if stored is not None and holds(self._vault, stored, pair):
                return stored, False
            await self._discard(pair)
            raise
        except DisconnectInProgress:
            await self._discard(pair)
            await self._resume_disconnect(user_id)
            raise
        except SlotkeeperError:
            await self._discard(pair)
            raise

    async def _store(
        self, user_id: UserId, pair: TokenPair, account: Account
    ) -> tuple[Integration, bool]:
        async with self._storage() as uow:
            known = await uow.integrations.for_user(user_id, lock=True)
            integration = self._integration(user_id, known, pair, account)
            await uow.integrations.put_connected(integration)
            await uow.commit()
        return integration, known is not None and known.status is Status.REAUTH_REQUIRED

    def _integration(
        self, user_id: UserId, known: Integration | None, pair: TokenPair, account: Account
    ) -> Integration:
        if known is not None and known.status is Status.DISCONNECTING:
            raise DisconnectInProgress(
                "This user's Calendly account is being disconnected; connect again in a moment."
            )
        if known is not None and known.account.user_uri != account.user_uri:
            raise AccountMismatch(
                "Another Calendly account is connected; disconnect it before connecting this one."
            )
        integration_id = known.id if known else IntegrationId(self._entropy.new_id())
        version = known.tokens.version + 1 if known and known.tokens else 1
        return Integration(
            id=integration_id,
            user_id=user_id,
            status=Status.ACTIVE,
            account=account,
            scopes=pair.scopes,
            connected_at=self._clock.now(),
            tokens=seal_pair(self._vault, integration_id, pair, version=version),
            subscription=known.subscription if known else None,
        )

    async def _resume_disconnect(self, user_id: UserId) -> None:
        """Start the job once more, in case the workflow engine was away when it was asked for."""
        with suppress(JobsUnavailable, StorageUnavailable):
            async with self._storage() as uow:
                leaving = await uow.integrations.for_user(user_id)
            if leaving is not None:
                await self._jobs.disconnect(leaving.id)

    async def _discard(self, pair: TokenPair) -> None:
        """Give back a grant that is not kept; if Calendly is down it simply is never used."""
        with suppress(CalendlyError):
            await self._oauth.revoke(pair.refresh)
        with suppress(CalendlyError):
            await self._oauth.revoke(pair.access)


def _same_browser(attempt: ConnectAttempt, browser_token: str | None) -> bool:
    if attempt.browser_hash is None:
        return True
    return browser_token is not None and hmac.compare_digest(
        digest(browser_token), attempt.browser_hash
    )
