"""Keep exactly one good webhook subscription for an integration."""

from dataclasses import dataclass
from datetime import datetime

from application.ports.calendly.subscriptions import CalendlySubscriptions
from application.ports.clock import Clock
from application.ports.randomness import Randomness
from application.ports.storage.unit_of_work import Storage
from application.ports.telemetry import Telemetry
from application.tokens.calendly_session import CalendlySession
from application.tokens.connected import read_connected
from domain.errors import CalendlyConflict, SlotkeeperError
from domain.ids import IntegrationId
from domain.integration import Gap, Integration, Subscription
from domain.secret import Secret
from domain.subscription import (
    USER_EVENTS,
    ActualSubscription,
    Plan,
    ReplaceReason,
    key_of,
    new_key,
    own_prefix,
    plan,
)
from domain.subscription_signing import marked, own_signing_key

KEPT = "kept"
KEPT_FAILING = "kept_failing"
CREATED = "created"
REPLACED = "replaced"
KEY_BYTES = 12


@dataclass(frozen=True, kw_only=True)
class EnsureSubscription:
    """Compares the desired with the actual subscriptions; creates before it deletes.

    Each new subscription gets a signing key of its own, derived from `signing_key`, the newest
    configured one.

    A replaced subscription may have lost deliveries. The transaction that stores the new one also
    stores this gap, so that a reconciliation repairs the bookings even after a crash.
    """

    storage: Storage
    session: CalendlySession
    calendly: CalendlySubscriptions
    clock: Clock
    randomness: Randomness
    telemetry: Telemetry
    callback_base: str
    signing_key: Secret

    async def __call__(self, integration_id: IntegrationId) -> str:
        """Check the subscription; return `kept`, `kept_failing`, `created` or `replaced`.

        `kept_failing` is an early warning: Calendly retries failed deliveries, and disables the
        subscription after a day of failures (Calendly: webhook retries).

        Raises:
            IntegrationNotFound, ReauthRequired, CircuitOpen, the CalendlyError family.

        """
        try:
            result = await self._ensure(integration_id)
        except SlotkeeperError as error:
            self.telemetry.subscription_checked(integration_id, error.code)
            raise
        self.telemetry.subscription_checked(integration_id, result)
        return result

    async def _ensure(self, integration_id: IntegrationId) -> str:
        integration = await read_connected(self.storage, integration_id)
        checked_at = self.clock.now()
        steps = self._plan(integration, await self._actual(integration))
        if steps.keep is not None:
            await self._store_kept(integration, steps.keep, None if steps.failing else checked_at)
        else:
            await self._replace(integration, steps.reason, checked_at)
        for uri in steps.delete:
            await self._delete(integration_id, uri)
        if steps.keep is not None:
            return KEPT_FAILING if steps.failing else KEPT
        return REPLACED if steps.delete or steps.reason else CREATED

    async def _actual(self, integration: Integration) -> list[ActualSubscription]:
        """Return the listed subscriptions and the known one: a new one may not be listed yet."""
        listed = await self.session.call(
            integration.id, lambda access: self.calendly.all(access, integration.account)
        )
        known = integration.subscription.uri if integration.subscription else None
        if known is None or any(each.uri == known for each in listed):
            return listed
        unlisted = await self.session.call(
            integration.id, lambda access: self.calendly.subscription(access, known)
        )
        return listed if unlisted is None else [*listed, unlisted]

    def _plan(self, integration: Integration, actual: list[ActualSubscription]) -> Plan:
        subscription = integration.subscription
        return plan(
            actual,
            ours=own_prefix(self.callback_base, integration.id),
            current=self._url(subscription.key) if subscription else None,
            known=subscription.uri if subscription else None,
            signing_key=self.signing_key,
        )

    async def _create(self, integration: Integration) -> ActualSubscription:
        """Create under a new callback URL; if the URL is in use, try one other."""
        try:
            return await self._create_once(integration)
        except CalendlyConflict:
            return await self._create_once(integration)

    async def _create_once(self, integration: Integration) -> ActualSubscription:
        token = marked(self.randomness.token(KEY_BYTES), self.signing_key)
        key = new_key(integration.id, token)
        own = own_signing_key(self.signing_key, key)
        return await self.session.call(
            integration.id,
            lambda access: self.calendly.create(
                access, integration.account, self._url(key), USER_EVENTS, own
            ),
        )

    async def _delete(self, integration_id: IntegrationId, uri: str) -> None:
        await self.session.call(integration_id, lambda access: self.calendly.delete(access, uri))

    async def _store_kept(
        self, integration: Integration, kept: ActualSubscription, healthy_at: datetime | None
    ) -> None:
        known = integration.subscription
        seen = _subscription(kept, healthy_at or (known.healthy_at if known else None))
        if seen == known:
            return
        async with self.storage() as uow:
            await uow.integrations.put_subscription(integration.id, seen)
            await uow.commit()

    async def _replace(
        self, integration: Integration, reason: ReplaceReason | None, checked_at: datetime
    ) -> None:
        created = await self._create(integration)
        since = _lost_since(integration)
        async with self.storage() as uow:
            await uow.integrations.put_subscription(
                integration.id, _subscription(created, checked_at)
            )
            if since is not None:
                gap = Gap(since=min(since, checked_at), until=self.clock.now())
                await uow.integrations.put_gap(integration.id, gap)
            await uow.commit()
        if reason is not None:
            self.telemetry.subscription_replaced(integration.id, reason, since or checked_at)

    def _url(self, key: str) -> str:
        return f"{self.callback_base}/{key}"


def _subscription(actual: ActualSubscription, healthy_at: datetime | None) -> Subscription:
    key = key_of(actual.callback_url)
    return Subscription(key=key, uri=actual.uri, state=actual.state, healthy_at=healthy_at)


def _lost_since(integration: Integration) -> datetime | None:
    """Return since when deliveries may be missing (UTC); None if the setup was never complete.

    An integration that was reconciled before but has no subscription lost its row.
    """
    known = integration.subscription
    if known is not None and known.healthy_at is not None:
        return known.healthy_at
    return integration.reconciled_at or (integration.connected_at if known else None)
