"""The end of an integration at Calendly: delete its subscriptions, revoke its tokens."""

from dataclasses import dataclass

from application.ports.calendly.oauth import CalendlyOAuth
from application.ports.calendly.subscriptions import CalendlySubscriptions
from application.ports.storage.breakers import Surface
from application.resilience.circuit_breakers import CircuitBreakers
from domain.errors import CalendlyForbidden
from domain.integration import Integration
from domain.secret import Secret
from domain.subscription import ActualSubscription, own, own_prefix
from domain.token import Access


@dataclass(frozen=True, kw_only=True)
class RevokeAtCalendly:
    """Each call may be repeated: what is gone already counts as done."""

    oauth: CalendlyOAuth
    subscriptions: CalendlySubscriptions
    circuit_breakers: CircuitBreakers
    callback_base: str

    async def unsubscribe(self, integration: Integration, token: Secret) -> None:
        """Delete every webhook subscription of the integration: the stored one and any leftover.

        A user who left the organization may not delete them any more, and gets nothing from
        them any more either: that counts as done.

        Args:
            integration: whose.
            token: a live access token.

        Raises:
            AccessTokenRejected: the token is not live; nothing was deleted.
            CircuitOpen, the CalendlyError family.

        """
        access = Access(token, integration.account.user_uri)
        for uri in await self._own(integration, access):
            await self._delete(integration, access, uri)

    async def revoke(self, integration: Integration, token: Secret) -> None:
        """Revoke one token of an integration. Raises CircuitOpen and the CalendlyError family."""
        await self.circuit_breakers.call(
            Surface.OAUTH, lambda: self.oauth.revoke(token), subject=str(integration.user_id)
        )

    async def _own(self, integration: Integration, access: Access) -> list[str]:
        known = integration.subscription.uri if integration.subscription else None
        listed = own(
            await self._listed(integration, access),
            ours=own_prefix(self.callback_base, integration.id),
            known=known,
        )
        # A fresh one may be missing from the list.
        return sorted({each.uri for each in listed} | ({known} if known else set()))

    async def _listed(self, integration: Integration, access: Access) -> list[ActualSubscription]:
        try:
            return await self.circuit_breakers.call(
                Surface.API,
                lambda: self.subscriptions.all(access, integration.account),
                subject=str(integration.user_id),
            )
        except CalendlyForbidden:
            return []

    async def _delete(self, integration: Integration, access: Access, uri: str) -> None:
        try:
            await self.circuit_breakers.call(
                Surface.API,
                lambda: self.subscriptions.delete(access, uri),
                subject=str(integration.user_id),
            )
        except CalendlyForbidden:
            return
