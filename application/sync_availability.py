"""Bring one user's cached availability up to date; one fetch a user at a time."""

from datetime import timedelta

from application.fetch_availability import FetchAvailability
from application.ports.availability_cache import Part
from application.ports.clock import Clock
from application.ports.entropy import Entropy
from application.ports.signals import Signals
from application.ports.unit_of_work import Storage
from domain.cache_policy import CachePolicy
from domain.errors import IntegrationNotFound, SlotkeeperError
from domain.ids import IntegrationId
from domain.integration import Integration

SYNCED = "synced"
PARTLY = "partly"
HELD = "held"
TURN = timedelta(minutes=2)  # longer than a fetch with every call timing out but the retried
RETRY_AFTER = timedelta(minutes=2)


class SyncAvailability:
    """Fetches and stores; parts that failed keep their old content and say why."""

    def __init__(
        self,
        *,
        storage: Storage,
        fetch: FetchAvailability,
        clock: Clock,
        entropy: Entropy,
        signals: Signals,
        policy: CachePolicy,
        owner: str,
    ) -> None:
        self._storage = storage
        self._fetch = fetch
        self._clock = clock
        self._entropy = entropy
        self._signals = signals
        self._policy = policy
        self.owner = owner

    async def __call__(self, integration_id: IntegrationId) -> str:
        """Sync one integration.

        Returns:
            `synced`, `partly` when a part failed, or `held` when somebody else is at it.

        Raises:
            IntegrationNotFound, and the error for which nothing at all could be fetched.

        """
        now = self._clock.now()
        # Several tasks of one process may want the same user: each needs a name of its own.
        owner = f"{self.owner}/{self._entropy.new_id()}"
        async with self._storage() as uow:
            integration = await uow.integrations.get(integration_id)
            if integration is None:
                raise IntegrationNotFound("No Calendly account is connected.")
            mine = await uow.sync_queue.take(integration_id, owner, now, now + TURN)
            await uow.commit()
        if not mine:
            return HELD
        return await self.run(integration, owner)

    async def run(self, integration: Integration, owner: str) -> str:
        """Sync an integration whose turn the caller has taken under this name."""
        try:
            result = await self._sync(integration, owner)
        except SlotkeeperError as error:
            await self._put_off(integration, owner, error)
            self._signals.availability_sync(integration.id, error.code)
            raise
        self._signals.availability_sync(integration.id, result)
        return result

    async def _sync(self, integration: Integration, owner: str) -> str:
        fetched = await self._fetch(integration)
        now = self._clock.now()
        pause = RETRY_AFTER if fetched.failed else self._policy.soft_ttl
        async with self._storage() as uow:
            cache, user_id = uow.availability, integration.user_id
            await cache.put(user_id, integration.id, fetched.parts)
            await cache.keep_only(user_id, Part.SLOTS, fetched.event_type_uris)
            for part, key, code in fetched.failed:
                await cache.mark_failed(user_id, part, key, code)
            await uow.sync_queue.finish(
                integration.id, owner, synced_at=now, due_at=now + self._jittered(pause)
            )
            await uow.commit()
        return PARTLY if fetched.failed else SYNCED

    async def _put_off(self, integration: Integration, owner: str, error: SlotkeeperError) -> None:
        pause = max(RETRY_AFTER, timedelta(seconds=error.retry_after or 0))
        due_at = self._clock.now() + self._jittered(pause)
        async with self._storage() as uow:
            await uow.sync_queue.finish(integration.id, owner, synced_at=None, due_at=due_at)
            await uow.commit()

    def _jittered(self, pause: timedelta) -> timedelta:
        return pause * (0.9 + 0.2 * self._entropy.chance())
