"""Keep a fresh grant: as a new integration, as the same one restored, or in another's place.

One transaction decides, so a user never has two integrations that stay. A grant that is not stored
is revoked.
"""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from application.ports.calendly.oauth import CalendlyOAuth
from application.ports.clock import Clock
from application.ports.jobs import Jobs
from application.ports.randomness import Randomness
from application.ports.storage.availability_cache import Scope
from application.ports.storage.connect_attempts import ConnectAttempt
from application.ports.storage.unit_of_work import Storage, UnitOfWork
from application.ports.vault import Vault
from application.tokens.revoke import revoke_unused
from application.tokens.token_encryption import holds, seal_pair
from domain.errors import (
    AccountMismatch,
    DisconnectInProgress,
    JobsUnavailable,
    SlotkeeperError,
    StorageUnavailable,
)
from domain.ids import IntegrationId, UserId
from domain.integration import Account, Cause, Integration, Recovery, Status
from domain.token import TokenPair

RECONNECT = "reconnect"
# The previous version takes every flow that it finds unexpired, and would send its code again. No
# host's clock is this far behind.
LONG_EXPIRED = timedelta(hours=1)
# A confirmation may be repeated for as long as a handle lives.
HELD_FOR = timedelta(minutes=2)


class StoredIntegration(msgspec.Struct, frozen=True):
    """A stored grant.

    Args:
        integration: as it is stored now.
        recovery: what it came back from, when it had needed a person until now.
        replaced: whose place it took; that one is being disconnected.

    """

    integration: Integration
    recovery: Recovery | None = None
    replaced: IntegrationId | None = None


@dataclass(frozen=True, kw_only=True)
class StoreIntegration:
    storage: Storage
    vault: Vault
    oauth: CalendlyOAuth
    jobs: Jobs
    clock: Clock
    randomness: Randomness

    async def run(
        self, attempt: ConnectAttempt, pair: TokenPair, account: Account
    ) -> StoredIntegration:
        """Store the tokens or revoke them. The commit may have succeeded even if its response was lost.

        The same Calendly account recovers its integration. Another account replaces the connected
        one only if the flow was begun for that. The old integration is then disconnecting from the
        same moment on, and its durable job is started.

        Raises:
            AccountMismatch: another account is connected, and may not be replaced.
            DisconnectInProgress: this very account is being disconnected.
            StorageUnavailable: not stored; or the result is unknown, and then nothing is revoked,
                since that would end an integration that may be stored as active.

        """
        try:
            stored = await self._store(attempt, pair, account)
        except StorageUnavailable:
            found = await self._find(attempt.user_id, pair)
            if found is None:
                await self.discard(pair)
                raise
            return found
        except DisconnectInProgress:
            await self.discard(pair)
            await self._resume_disconnect(attempt.user_id, account)
            raise
        except SlotkeeperError:
            await self.discard(pair)
            raise
        if stored.replaced is not None:
            # Without the workflow engine the sweep over all integrations starts it later.
            with suppress(JobsUnavailable):
                await self.jobs.disconnect(stored.replaced)
        return stored

    async def discard(self, pair: TokenPair) -> None:
        """Revoke a pair that is not stored, if it is certainly not of a grant that stays.

        Revoking may end every grant of the account for this app. So nothing is revoked where the
        account is connected, for this user or another, or where that cannot be found out. The
        pair is unused then, and Calendly's user can remove it.
        """
        if not pair.owner_uri:
            return
        try:
            async with self.storage() as uow:
                known = await uow.integrations.by_accounts([pair.owner_uri])
        except StorageUnavailable:
            return
        if all(each.status is Status.DISCONNECTING for each in known):
            await revoke_unused(self.oauth, (pair.refresh, pair.access))

    async def _store(
        self, attempt: ConnectAttempt, pair: TokenPair, account: Account
    ) -> StoredIntegration:
        async with self.storage() as uow:
            known = await uow.integrations.for_user(attempt.user_id, lock=True)
            if await _disconnecting(uow, attempt.user_id, account):
                raise DisconnectInProgress(
                    "This Calendly account is being disconnected; connect it again in a moment."
                )
            replaced = _to_replace(known, attempt, account)
            if replaced is not None:
                await uow.integrations.mark_disconnecting(replaced)
            same = known if known and known.account.user_uri == account.user_uri else None
            integration = self._integration(attempt.user_id, same, pair, account)
            await uow.integrations.put_connected(integration)
            await uow.connect_attempts.put_connected(
                _completed(attempt, integration.id, self.clock.now())
            )
            if same is not None:
                await uow.availability.invalidate(
                    [same.user_id], integration.connected_at, by=RECONNECT, scope=Scope.EVERYTHING
                )
            await uow.commit()
        return StoredIntegration(integration, _new_recovery(integration), replaced)

    def _integration(
        self, user_id: UserId, same: Integration | None, pair: TokenPair, account: Account
    ) -> Integration:
        integration_id = same.id if same else IntegrationId(self.randomness.new_id())
        version = same.tokens.version + 1 if same and same.tokens else 1
        now = self.clock.now()
        recovery = same.recovery if same else None
        if same is not None and same.status is Status.REAUTH_REQUIRED:
            cause = same.attention.cause if same.attention else Cause.GRANT_REFUSED
            recovery = Recovery(cause, now)
        return Integration(
            id=integration_id,
            user_id=user_id,
            status=Status.ACTIVE,
            account=account,
            scopes=pair.scopes,
            connected_at=now,
            tokens=seal_pair(self.vault, integration_id, pair, version=version),
            subscription=same.subscription if same else None,
            recovery=recovery,
            client_id=self.oauth.client_id,
        )

    async def _find(self, user_id: UserId, pair: TokenPair) -> StoredIntegration | None:
        """Return the grant if it is stored after all; the sweep ends one that it replaced."""
        async with self.storage() as uow:
            # The lock waits for our own commit, should the server still be at it.
            stored = await uow.integrations.for_user(user_id, lock=True)
        if stored is not None and holds(self.vault, stored, pair):
            return StoredIntegration(stored, _new_recovery(stored))
        return None

    async def _resume_disconnect(self, user_id: UserId, account: Account) -> None:
        """Start the job once more, in case Temporal was down when it was requested."""
        with suppress(JobsUnavailable, StorageUnavailable):
            async with self.storage() as uow:
                disconnecting = await _disconnecting(uow, user_id, account)
            if disconnecting is not None:
                await self.jobs.disconnect(disconnecting)


async def _disconnecting(
    uow: UnitOfWork, user_id: UserId, account: Account
) -> IntegrationId | None:
    """Return the user's integration with this account that is being disconnected, or None."""
    for each in await uow.integrations.by_accounts([account.user_uri]):
        if each.user_id == user_id and each.status is Status.DISCONNECTING:
            return each.id
    return None


def _to_replace(
    known: Integration | None, attempt: ConnectAttempt, account: Account
) -> IntegrationId | None:
    """Return the integration that has to make way, or None when none is in the way."""
    if known is None or known.status is Status.DISCONNECTING:
        return None
    if known.account.user_uri == account.user_uri:
        return None
    if not attempt.replaces:
        raise AccountMismatch(
            "Another Calendly account is connected. Choose that one at Calendly, or disconnect "
            "it first, or begin with /api/calendly/connect?replace=true to put this one in its "
            "place."
        )
    return known.id


def _completed(
    attempt: ConnectAttempt, integration_id: IntegrationId, now: datetime
) -> ConnectAttempt:
    return msgspec.structs.replace(
        attempt,
        expires_at=now - LONG_EXPIRED,
        connected_id=integration_id,
        connected_until=now + HELD_FOR if attempt.is_held else attempt.expires_at,
        sealed_code=None,
    )


def _new_recovery(integration: Integration) -> Recovery | None:
    """Return the recovery if it came with this very grant."""
    recovery = integration.recovery
    return recovery if recovery and recovery.at == integration.connected_at else None
