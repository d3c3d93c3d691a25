"""Read a part of the cache, filling it first where nothing is there.

Stale parts are served at once while one fetch runs behind. A missing part is fetched once,
however many wait for it. No read causes a fetch before the sync's due time: after a failure
readers rest as the schedule does.
"""

import asyncio

from application.cached_values import state_of
from application.ports.availability_cache import CachedPart, Part
from application.ports.background import Background
from application.ports.clock import Clock
from application.ports.signals import Signals
from application.ports.unit_of_work import Storage
from application.sync_availability import HELD, SyncAvailability
from application.unfetched_parts import why_unfetched
from domain.cache_policy import CachePolicy, Freshness
from domain.errors import AvailabilityPending, IntegrationNotFound, SlotkeeperError
from domain.ids import UserId
from domain.integration import Integration, Status, usable_tokens

POLL = 0.1  # seconds
POLLS = 50
TO_BE_FETCHED_FIRST = frozenset({Freshness.EXPIRED, Freshness.MISSING})


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
            IntegrationNotFound: no Calendly account is connected, or it is being disconnected.
            ReauthRequired: nothing is cached and the grant is gone.
            AvailabilityPending: the first fetch is not done in time, or failed for a passing
                reason.
            SlotkeeperError: the first fetch failed.

        """
        integration, cached = await self._read(user_id, part, key)
        state = state_of(cached, self._clock.now(), self.policy)
        self._signals.availability_read(part, state)
        match state:
            case Freshness.FRESH:
                return cached
            case Freshness.STALE | Freshness.INVALIDATED:
                self._background.run(
                    "sync_availability", self._sync(integration.id, only_if_due=True)
                )
                return cached
            case Freshness.EXPIRED:
                return await self._renew(integration, part, key, cached)
            case Freshness.MISSING:
                return await self._fill(integration, part, key)

    async def _renew(
        self, integration: Integration, part: Part, key: str, cached: CachedPart | None
    ) -> CachedPart | None:
        try:
            return await self._fill(integration, part, key)
        except IntegrationNotFound:
            raise
        except SlotkeeperError:
            # Calendly cannot be asked: the last known, marked as expired, beats no answer.
            return cached

    async def _fill(self, integration: Integration, part: Part, key: str) -> CachedPart | None:
        for _ in range(POLLS):
            usable_tokens(integration)  # without a grant nobody fetches: say so, do not wait
            if await self._sync(integration.id, only_if_due=True) != HELD:
                _, cached = await self._read(integration.user_id, part, key)
                return _fetched(cached)
            await asyncio.sleep(POLL)
            integration, cached = await self._read(integration.user_id, part, key)
            if state_of(cached, self._clock.now(), self.policy) not in TO_BE_FETCHED_FIRST:
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
            if integration.status is Status.DISCONNECTING:
                raise IntegrationNotFound("This Calendly account is being disconnected.")
            return integration, await uow.availability.read(user_id, part, key)


def _fetched(cached: CachedPart | None) -> CachedPart | None:
    """Return a part that some fetch brought. Raises why none did."""
    if cached is not None and not cached.content:
        raise why_unfetched(cached)
    return cached
