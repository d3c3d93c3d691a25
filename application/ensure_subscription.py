"""See to it that an integration has exactly one good webhook subscription."""

from application.calendly_session import CalendlySession
from application.ports.calendly_subscriptions import CalendlySubscriptions
from application.ports.entropy import Entropy
from application.ports.signals import Signals
from application.ports.unit_of_work import Storage
from domain.errors import CalendlyConflict, IntegrationNotFound, SlotkeeperError
from domain.ids import IntegrationId
from domain.integration import Integration, Subscription
from domain.subscription import (
    USER_EVENTS,
    ActualSubscription,
    Plan,
    new_key,
    own_prefix,
    plan,
)

KEPT = "kept"
KEPT_FAILING = "kept_failing"
CREATED = "created"
REPLACED = "replaced"
KEY_BYTES = 12


class EnsureSubscription:
    """Compares desired with actual, creates first, deletes afterwards."""

    def __init__(
        self,
        *,
        storage: Storage,
        session: CalendlySession,
        calendly: CalendlySubscriptions,
        entropy: Entropy,
        signals: Signals,
        callback_base: str,
    ) -> None:
        self._storage = storage
        self._session = session
        self._calendly = calendly
        self._entropy = entropy
        self._signals = signals
        self._callback_base = callback_base

    async def __call__(self, integration_id: IntegrationId) -> str:
        """Heal the subscription: `kept`, `created` or `replaced`.

        `kept_failing` is an early warning: Calendly is repeating deliveries that failed, and
        disables the subscription when that goes on for a day (Calendly: webhook retries).

        Raises:
            IntegrationNotFound, ReauthRequired, CircuitOpen, the CalendlyError family.

        """
        try:
            result = await self._ensure(integration_id)
        except SlotkeeperError as error:
            self._signals.subscription(integration_id, error.code)
            raise
        self._signals.subscription(integration_id, result)
        return result

    async def _ensure(self, integration_id: IntegrationId) -> str:
        integration = await self._read(integration_id)
        account = integration.account
        actual = await self._session.call(
            integration_id, lambda access: self._calendly.all(access, account)
        )
        todo = self._plan(integration, actual)
        good = todo.keep or await self._create(integration)
        await self._remember(integration, good)
        for uri in todo.delete:
            await self._delete(integration_id, uri)
        if todo.keep is not None:
            return KEPT_FAILING if todo.failing else KEPT
        return REPLACED if todo.delete else CREATED

    def _plan(self, integration: Integration, actual: list[ActualSubscription]) -> Plan:
        subscription = integration.subscription
        return plan(
            actual,
            ours=own_prefix(self._callback_base, integration.id),
            current=self._url(subscription.key) if subscription else None,
            known=subscription.uri if subscription else None,
        )

    async def _create(self, integration: Integration) -> ActualSubscription:
        """Create under a new callback URL; a URL that is taken is simply not the one."""
        try:
            return await self._create_once(integration)
        except CalendlyConflict:
            return await self._create_once(integration)

    async def _create_once(self, integration: Integration) -> ActualSubscription:
        url = self._url(new_key(integration.id, self._entropy.token(KEY_BYTES)))
        return await self._session.call(
            integration.id,
            lambda access: self._calendly.create(access, integration.account, url, USER_EVENTS),
        )

    async def _delete(self, integration_id: IntegrationId, uri: str) -> None:
        await self._session.call(integration_id, lambda access: self._calendly.delete(access, uri))

    async def _remember(self, integration: Integration, good: ActualSubscription) -> None:
        key = good.callback_url.rsplit("/", 1)[-1]
        subscription = Subscription(key=key, uri=good.uri, state=good.state)
        if subscription == integration.subscription:
            return
        async with self._storage() as uow:
            await uow.integrations.put_subscription(integration.id, subscription)
            await uow.commit()

    async def _read(self, integration_id: IntegrationId) -> Integration:
        async with self._storage() as uow:
            integration = await uow.integrations.get(integration_id)
        if integration is None:
            raise IntegrationNotFound("No Calendly account is connected.")
        return integration

    def _url(self, key: str) -> str:
        return f"{self._callback_base}/{key}"
