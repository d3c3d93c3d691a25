"""Bring one user's cached availability up to date; one fetch a user at a time."""

from collections.abc import Sequence
from datetime import timedelta

from application.fetch_availability import FetchAvailability, failed_part
from application.ports.availability_cache import Part
from application.ports.clock import Clock
from application.ports.entropy import Entropy
from application.ports.signals import Signals
from application.ports.unit_of_work import Storage
from domain.cache_policy import CachePolicy
from domain.errors import IntegrationNotFound, Kind, SlotkeeperError
from domain.ids import IntegrationId
from domain.integration import Integration

SYNCED = "synced"
PARTLY = "partly"
HELD = "held"
NOT_DUE = "not_due"
TURN = timedelta(minutes=2)  # longer than a fetch with every call timing out but the retried
RETRY_AFTER = timedelta(minutes=2)
SPREAD = 0.1  # of a pause, so that those who connected together do not stay together
PASSING = frozenset({Kind.TRANSIENT, Kind.THROTTLED})


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

    async def __call__(self, integration_id: IntegrationId, *, only_if_due: bool = False) -> str:
        """Sync one integration.

        Args:
            integration_id: which one.
            only_if_due: leave it alone before its due time, which honours the pause after a
                failure; a change makes it due at once.

        Returns:
            `synced`, `partly` when a part failed, `held` when somebody else is at it or took it
            over meanwhile, or `not_due` when it may not be synced now.

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
            queue = uow.sync_queue
            mine = await queue.take(
                integration_id, owner, now, now + TURN, only_if_due=only_if_due
            )
            held = not mine and await queue.is_held(integration_id, now)
            await uow.commit()
        if not mine:
            return HELD if held else NOT_DUE
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
        due_at = now + self._pause(fetched.errors)
        async with self._storage() as uow:
            # First of all: it proves that the right still stands, and it locks the integration
            # before its parts, the order in which an erasure locks them.
            if not await uow.sync_queue.finish(
                integration.id, owner, synced_at=now, due_at=due_at
            ):
                return HELD
            cache, user_id = uow.availability, integration.user_id
            await cache.put(user_id, integration.id, fetched.parts)
            await cache.mark_failed(user_id, integration.id, fetched.failed)
            await cache.keep_only(user_id, Part.SLOTS, fetched.event_type_uris)
            await uow.commit()
        return PARTLY if fetched.failed else SYNCED

    async def _put_off(self, integration: Integration, owner: str, error: SlotkeeperError) -> None:
        now = self._clock.now()
        due_at = now + self._retry_pause([error])
        async with self._storage() as uow:
            if await uow.sync_queue.finish(integration.id, owner, synced_at=None, due_at=due_at):
                failed = failed_part(Part.EVENT_TYPES, "", now, error)
                await uow.availability.mark_failed(integration.user_id, integration.id, [failed])
                await uow.commit()

    def _pause(self, errors: Sequence[SlotkeeperError]) -> timedelta:
        """Return how long to rest: what was refused for good is asked for with the rest."""
        passing = [each for each in errors if each.kind in PASSING]
        if passing:
            return self._retry_pause(passing)
        # Not after the soft limit: what has turned stale should be due for its readers.
        return self._policy.soft_ttl * (1 - SPREAD * self._entropy.chance())

    def _retry_pause(self, errors: Sequence[SlotkeeperError]) -> timedelta:
        """Return a pause that is never shorter than what Calendly asked for."""
        asked = max(each.retry_after or 0 for each in errors)
        pause = max(RETRY_AFTER, timedelta(seconds=asked))
        return pause * (1 + SPREAD * self._entropy.chance())
