"""Read a part of the cache, filling it first where nothing is there.

Stale parts are served at once while one fetch runs behind. A missing part is fetched once,
however many wait for it.
"""

import asyncio
from datetime import datetime, timedelta

from application.cached_values import state_of
from application.ports.availability_cache import CachedPart, Part
from application.ports.background import Background
from application.ports.clock import Clock
from application.ports.signals import Signals
from application.ports.unit_of_work import Storage
from application.sync_availability import HELD, SyncAvailability
from domain.cache_policy import CachePolicy, Freshness
from domain.errors import AvailabilityPending, IntegrationNotFound, SlotkeeperError
from domain.ids import UserId
from domain.integration import Integration, usable_tokens

POLL = 0.1  # seconds
POLLS = 50
NOTHING_OLDER = timedelta(seconds=30)


class WarmCache:
    """The reader's side of the cache."""

    def __init__(
        self,
        *,
        storage: Storage,
        sync: SyncAvailability,
        background: Background,
        clock: Clock,
        signals: Signals,
        policy: CachePolicy,
    ) -> None:
        self._storage = storage
        self._sync = sync
        self._background = background
        self._clock = clock
        self._signals = signals
        self.policy = policy

    async def part(self, user_id: UserId, part: Part, key: str = "") -> CachedPart | None:
        """Return the part, or None when Calendly has nothing under this key.

        Raises:
            IntegrationNotFound: the user has no Calendly account connected.
            ReauthRequired: nothing is cached and the grant is gone.
            AvailabilityPending: the first fetch is under way and not done in time.
            SlotkeeperError: the first fetch failed.

        """
        integration, cached = await self._read(user_id, part, key)
        state = state_of(cached, self._clock.now(), self.policy)
        self._signals.availability_read(part, state)
        match state:
            case Freshness.FRESH:
                return cached
            case Freshness.STALE | Freshness.INVALIDATED:
                self._background.run("sync_availability", self._sync(integration.id))
                return cached
            case Freshness.EXPIRED:
                return await self._renew(integration, part, key, cached)
            case Freshness.MISSING:
                return await self._fill(integration, part, key, None)

    async def _renew(
        self, integration: Integration, part: Part, key: str, cached: CachedPart | None
    ) -> CachedPart | None:
        try:
            return await self._fill(integration, part, key, cached)
        except SlotkeeperError:
            # Calendly cannot be asked: the last known, marked as expired, beats no answer.
            return cached

    async def _fill(
        self, integration: Integration, part: Part, key: str, cached: CachedPart | None
    ) -> CachedPart | None:
        began = self._clock.now()
        if _synced_just_now(integration, began):
            return cached
        for _ in range(POLLS):
            usable_tokens(integration)  # without a grant nobody fetches: say so, do not wait
            if await self._sync(integration.id) != HELD:
                _, cached = await self._read(integration.user_id, part, key)
                return cached
            await asyncio.sleep(POLL)
            # Look before trying again, or each waiter would repeat the fetch it waited for.
            integration, cached = await self._read(integration.user_id, part, key)
            arrived = cached is not None and cached.fetched_at >= began - NOTHING_OLDER
            if arrived or _synced_just_now(integration, began):
                return cached
        raise AvailabilityPending(
            "This user's availability is being fetched for the first time; ask again shortly.",
            retry_after=2,
        )

    async def _read(
        self, user_id: UserId, part: Part, key: str
    ) -> tuple[Integration, CachedPart | None]:
        async with self._storage() as uow:
            integration = await uow.integrations.for_user(user_id)
            if integration is None:
                raise IntegrationNotFound(
                    "No Calendly account is connected; see /api/calendly/connect."
                )
            return integration, await uow.availability.read(user_id, part, key)


def _synced_just_now(integration: Integration, now: datetime) -> bool:
    """Whether a missing part is missing because the last fetch, just now, did not find it."""
    synced_at = integration.last_synced_at
    return synced_at is not None and now - synced_at < NOTHING_OLDER
