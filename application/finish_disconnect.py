"""Disconnect an integration: subscription removed, tokens revoked, then everything erased.

Every step may be repeated, so a crash between any two only means doing it again.
"""

from contextlib import suppress
from functools import partial

from application.circuits import Circuits
from application.ports.breakers import Surface
from application.ports.calendly_oauth import CalendlyOAuth
from application.ports.calendly_subscriptions import CalendlySubscriptions
from application.ports.unit_of_work import Storage
from application.ports.vault import Vault
from application.token_sealing import open_both
from domain.errors import (
    AccessTokenRejected,
    CalendlyForbidden,
    GrantRefused,
    SlotkeeperError,
)
from domain.ids import IntegrationId
from domain.integration import Integration, Status
from domain.secret import Secret
from domain.token import Access, SealedTokens

ERASED = "erased"
ERASED_UNREVOKED = "erased_unrevoked"
ABSENT = "absent"


class FinishDisconnect:
    """Ends what RequestDisconnect began."""

    def __init__(
        self,
        *,
        storage: Storage,
        vault: Vault,
        oauth: CalendlyOAuth,
        subscriptions: CalendlySubscriptions,
        circuits: Circuits,
    ) -> None:
        self._storage = storage
        self._vault = vault
        self._oauth = oauth
        self._subscriptions = subscriptions
        self._circuits = circuits

    async def __call__(self, integration_id: IntegrationId, *, forced: bool) -> str:
        """Disconnect.

        Args:
            integration_id: which one; it must be marked as disconnecting.
            forced: erase although Calendly could not be told.

        Returns:
            `erased`, `erased_unrevoked` when Calendly was not told, or `absent`.

        Raises:
            Unless forced, whatever kept Calendly from being told.

        """
        async with self._storage() as uow:
            integration = await uow.integrations.get(integration_id)
        if integration is None or integration.status is not Status.DISCONNECTING:
            return ABSENT
        told = await self._tell_calendly(integration, forced=forced)
        async with self._storage() as uow:
            await uow.integrations.erase(integration_id)
            await uow.commit()
        return ERASED if told else ERASED_UNREVOKED

    async def _tell_calendly(self, integration: Integration, *, forced: bool) -> bool:
        if integration.tokens is None:
            return False
        try:
            await self._withdraw(integration, integration.tokens)
        except SlotkeeperError:
            if not forced:
                raise
            return False
        return True

    async def _withdraw(self, integration: Integration, tokens: SealedTokens) -> None:
        refresh, access = open_both(self._vault, integration.id, tokens)
        to_revoke = [refresh, access]
        try:
            await self._unsubscribe(integration, access)
        except AccessTokenRejected:
            to_revoke = await self._unsubscribe_anew(integration, refresh)
        await self._revoke(to_revoke)

    async def _unsubscribe_anew(self, integration: Integration, refresh: Secret) -> list[Secret]:
        """Exchange once more for the sake of the subscription; return what is to be revoked."""
        try:
            pair = await self._circuits.call(
                Surface.OAUTH,
                lambda: self._oauth.refresh(refresh, user_uri=integration.account.user_uri),
            )
        except GrantRefused:
            return []
        try:
            await self._unsubscribe(integration, pair.access)
        except SlotkeeperError:
            # Nobody else knows this pair: left alive, it would outlive the integration.
            with suppress(SlotkeeperError):
                await self._revoke([pair.refresh, pair.access])
            raise
        return [pair.refresh, pair.access]

    async def _revoke(self, tokens: list[Secret]) -> None:
        for token in tokens:
            await self._circuits.call(Surface.OAUTH, partial(self._oauth.revoke, token))

    async def _unsubscribe(self, integration: Integration, token: Secret) -> None:
        subscription = integration.subscription
        if subscription is None or subscription.uri is None:
            return
        uri, access = subscription.uri, Access(token, integration.account.user_uri)
        try:
            await self._circuits.call(Surface.API, lambda: self._subscriptions.delete(access, uri))
        except CalendlyForbidden:
            # The user left the organization: the subscription is not ours to delete any more,
            # and Calendly stops delivering to it.
            return
