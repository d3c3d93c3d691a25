"""Disconnect an integration: subscriptions removed, tokens revoked, then everything erased.

The last integration of a user who is being erased takes the user along.

Every step may be repeated, so a crash between any two only means doing it again. All of it runs
under the refresh lease: a concurrent refresh would end with a pair that no process
revokes.
"""

from collections.abc import Awaitable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from application.integrations.final_refresh import FinalRefresh
from application.integrations.revoke_at_calendly import RevokeAtCalendly
from application.ports.clock import Clock
from application.ports.storage.unit_of_work import Storage
from application.ports.telemetry import Telemetry
from application.ports.vault import Vault
from application.tokens.token_encryption import open_both
from domain.errors import (
    AccessTokenRejected,
    CalendlyUncertain,
    GrantRefused,
    RefreshInProgress,
    SealedValueUnreadable,
    SlotkeeperError,
    StorageUnavailable,
)
from domain.ids import IntegrationId
from domain.integration import Integration, Lease, Status, foreign_grant, is_foreign
from domain.secret import Secret
from domain.token import SealedTokens

ERASED = "erased"
ERASED_UNREVOKED = "erased_unrevoked"
ABSENT = "absent"


class _PairRenewedError(Exception):
    """The stored access token was dead; a new pair is stored and the lease is free."""


@dataclass(frozen=True, kw_only=True)
class FinishDisconnect:
    storage: Storage
    vault: Vault
    revoke: RevokeAtCalendly
    final_refresh: FinalRefresh
    clock: Clock
    telemetry: Telemetry
    owner: str
    lease_ttl: timedelta
    client_id: str

    async def __call__(self, integration_id: IntegrationId, *, forced: bool) -> str:
        """Disconnect.

        Args:
            integration_id: which one; it must be marked as disconnecting.
            forced: try each step at Calendly once, then erase regardless of the results.

        Returns:
            `erased`, `erased_unrevoked` if Calendly may still have the grant, or `absent`.

        Raises:
            RefreshInProgress: another process holds the refresh lease, or changed the tokens.
            StorageUnavailable: nothing was erased.
            ClientRefused: unless forced, the grant was given to another client.
            CircuitOpen, CalendlyError: unless forced, a step at Calendly failed.

        """
        try:
            return await self._attempt(integration_id, forced=forced, may_renew=True)
        except _PairRenewedError:
            return await self._attempt(integration_id, forced=forced, may_renew=False)

    async def _attempt(
        self, integration_id: IntegrationId, *, forced: bool, may_renew: bool
    ) -> str:
        held = await self._hold(integration_id)
        if held is None:
            return ABSENT
        integration, lease = held
        try:
            revoked = await self._revoke_all(
                integration, lease, forced=forced, may_renew=may_renew
            )
            await self._erase(integration)
        except CalendlyUncertain:
            # A token request may be under way: the lease expires by itself, and no process sends before.
            raise
        except SlotkeeperError:
            await self._release(integration_id, lease)
            raise
        await self._erase_user(integration)
        result = ERASED if revoked else ERASED_UNREVOKED
        self.telemetry.integration_disconnected(integration_id, result)
        return result

    async def _hold(self, integration_id: IntegrationId) -> tuple[Integration, Lease] | None:
        now = self.clock.now()
        async with self.storage() as uow:
            integration = await uow.integrations.get(integration_id)
            if integration is None or integration.status is not Status.DISCONNECTING:
                return None
            taken = await uow.refresh_queue.take(
                integration_id, self.owner, now, now + self.lease_ttl, disconnecting=True
            )
            await uow.commit()
        if taken is None:
            raise RefreshInProgress("A token refresh of this integration is under way.")
        return taken

    async def _revoke_all(
        self, integration: Integration, lease: Lease, *, forced: bool, may_renew: bool
    ) -> bool:
        tokens = integration.tokens
        if tokens is None:
            return False
        if is_foreign(integration, self.client_id) and not forced:
            # Calendly revokes nothing for another client, and may answer as if it had.
            raise foreign_grant()
        try:
            refresh, access = open_both(self.vault, integration.id, tokens)
        except SealedValueUnreadable:
            if not forced:
                raise
            return False
        renews = may_renew and not is_foreign(integration, self.client_id)
        revoked = await _succeeded(
            self._unsubscribe(integration, tokens, access, refresh, lease if renews else None),
            forced=forced,
        )
        if is_foreign(integration, self.client_id):
            return False
        for token in (refresh, access):
            revoking = self.revoke.revoke(integration, token)
            revoked = await _succeeded(revoking, forced=forced) and revoked
        return revoked

    async def _unsubscribe(
        self,
        integration: Integration,
        tokens: SealedTokens,
        access: Secret,
        refresh: Secret,
        lease: Lease | None,
    ) -> None:
        """Unsubscribe; with a lease, a dead access token is renewed for it."""
        try:
            await self.revoke.unsubscribe(integration, access)
        except AccessTokenRejected:
            if lease is None:
                raise
            await self.final_refresh.run(integration, tokens, refresh, lease)
            raise _PairRenewedError from None

    async def _erase(self, integration: Integration) -> None:
        try:
            await self._delete(integration)
        except StorageUnavailable:
            # The commit may have counted though its answer was lost; then how it ended is known
            # now or never.
            async with self.storage() as uow:
                left = await uow.integrations.get(integration.id)
            if left is not None:
                raise

    async def _erase_user(self, integration: Integration) -> None:
        """Delete the user if they are being erased and this was their last integration."""
        # The daily job finds one that stays.
        with suppress(StorageUnavailable):
            async with self.storage() as uow:
                if await uow.user_erasures.finish(integration.user_id):
                    await uow.commit()

    async def _delete(self, integration: Integration) -> None:
        async with self.storage() as uow:
            erased = await uow.integrations.erase(integration.id)
            if erased is not None and _version(erased) != _version(integration):
                # Leaving without a commit: that pair has to be revoked first.
                raise RefreshInProgress("The tokens changed while they were being revoked.")
            await uow.commit()

    async def _release(self, integration_id: IntegrationId, lease: Lease) -> None:
        # The original error matters more than a lease that expires by itself.
        with suppress(StorageUnavailable):
            async with self.storage() as uow:
                await uow.refresh_queue.release(integration_id, lease)
                await uow.commit()


async def _succeeded(step: Awaitable[None], *, forced: bool) -> bool:
    """Take a step; False when it failed and that does not stop us.

    A dead grant never does: it can never unsubscribe again.
    """
    try:
        await step
    except GrantRefused:
        return False
    except SlotkeeperError:
        if not forced:
            raise
        return False
    return True


def _version(integration: Integration) -> int | None:
    return integration.tokens.version if integration.tokens else None
