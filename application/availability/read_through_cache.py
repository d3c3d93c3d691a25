"""Read parts of the cache, filling them first where they are missing or too old.

Fresh parts are served; stale and overtaken ones are served at once while one refresh runs behind.
What is missing, expired or older than the reader allows is fetched once, however many wait for
it, and nobody waits longer than WAIT_SECONDS. While Calendly cannot be asked the last known is served.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta

from msgspec.structs import replace

from application.availability.cache_entries import is_readable
from application.availability.cache_query import CacheQuery, CacheResult
from application.availability.fetch_errors import fetch_error
from application.availability.refresh_scope import is_older, rests
from application.availability.single_flight import SingleFlight
from application.availability.usage_tracking import UsageTracker
from application.ports.clock import Clock
from application.ports.storage.availability_cache import CacheKey, CacheSnapshot
from application.ports.storage.unit_of_work import Storage
from application.ports.telemetry import Telemetry
from domain.cache_policy import CachePolicy, Freshness
from domain.errors import (
    AvailabilityPending,
    IntegrationNotFound,
    InvalidInput,
)
from domain.ids import UserId
from domain.integration import Integration, Status, usable_tokens
from domain.sync_plan import may_be_asked

WAIT_SECONDS = 5.0  # seconds
RETRY_AFTER = 2.0  # seconds
PAUSE = 0.1  # seconds
# A flight that was under way may have been for less than what this reader wants.
TRIES = 2
TO_BE_FETCHED_FIRST = frozenset({Freshness.EXPIRED, Freshness.MISSING})
TO_BE_RENEWED = frozenset({Freshness.STALE, Freshness.INVALIDATED})

Lacking = dict[CacheKey, datetime | None]


class ReadThroughCache:
    """The reader's side of the cache."""

    def __init__(
        self,
        *,
        storage: Storage,
        flights: SingleFlight,
        usage: UsageTracker,
        clock: Clock,
        telemetry: Telemetry,
        policy: CachePolicy,
    ) -> None:
        self._storage = storage
        self._single_flight = flights
        self._usage = usage
        self._clock = clock
        self._telemetry = telemetry
        self._policy = policy

    async def read(
        self, user_id: UserId, question: CacheQuery, *, max_age: timedelta | None = None
    ) -> CacheResult:
        """Return what a question needs; the first of its parts is known.

        Args:
            user_id: whose.
            question: what is needed.
            max_age: how old the answer's parts may be at most. Older ones are fetched first, or
                served as they are when Calendly cannot be asked.

        Raises:
            InvalidInput: `max_age` is negative.
            IntegrationNotFound: no Calendly account is connected, or it is being disconnected.
            ReauthRequired: nothing is cached and the grant is gone.
            AvailabilityPending: what is wanted did not come in time, or failed for a passing
                reason and nothing is cached; with `retry_after`.
            SlotkeeperError: nothing is cached, for the reason that it says.

        """
        if max_age is not None and max_age < timedelta():
            raise InvalidInput("max_age must be zero or more.")
        asked_at = self._clock.now()
        # What is older than the TTL has expired for every reader.
        oldest = None if max_age is None else asked_at - min(max_age, self._policy.ttl)
        found = await self._look(user_id, question)
        for at in found.needs.keys:
            self._telemetry.availability_read(at.part, found.freshness_of(at))
        if await self._is_worth_waiting(found, oldest):
            found = await self._wait(user_id, question, found, oldest)
        _require(found)
        self._renew_behind(found)
        # From before the fetch that this reading causes: only a later one says that what came is
        # read, too.
        self._usage.record(user_id, found.known, asked_at)
        return found

    async def _is_worth_waiting(self, found: CacheResult, oldest: datetime | None) -> bool:
        """Whether a fetch may bring a better answer than the last known."""
        lacking = self._lacking(found, oldest)
        if any(found.freshness_of(at) is Freshness.MISSING for at in lacking):
            return True
        return bool(lacking) and not await self._single_flight.are_held_back()

    async def _look(self, user_id: UserId, question: CacheQuery) -> CacheResult:
        now = self._clock.now()
        keys, occupied_in = question.lookup(now)
        while True:
            snapshot = await self._storage.cache_lookup().read(
                user_id, keys, occupied_in=occupied_in
            )
            if snapshot is None:
                raise IntegrationNotFound(
                    "No Calendly account is connected; see /api/calendly/connect."
                )
            snapshot = await self._without_unreadable(user_id, snapshot)
            needs = question.needs(snapshot.parts, now)
            more = tuple(at for at in needs.keys if at not in keys)
            if not more:
                return CacheResult(snapshot, needs, now, self._policy)
            keys += more

    async def _without_unreadable(self, user_id: UserId, snapshot: CacheSnapshot) -> CacheSnapshot:
        """Forget what another version of the program stored otherwise: it is fetched anew.

        In the store as well, where a fetch would else find it fresh, or have it called unchanged.
        """
        unreadable = [at for at, part in snapshot.parts.items() if not is_readable(part)]
        if not unreadable:
            return snapshot
        async with self._storage() as uow:
            await uow.availability.drop(user_id, unreadable)
            await uow.commit()
        readable = {at: part for at, part in snapshot.parts.items() if at not in unreadable}
        return replace(snapshot, parts=readable)

    def _lacking(self, found: CacheResult, oldest: datetime | None) -> Lacking:
        """Return what has to be fetched before there is a good answer, and may be now."""
        integration, now = found.snapshot.integration, found.now
        return {
            at: moment
            for at, moment in self._wanting(found, oldest).items()
            if not rests(found.snapshot.parts.get(at), integration, now, waited_for=True)
        }

    def _wanting(self, found: CacheResult, oldest: datetime | None) -> Lacking:
        """Return what has to be fetched before there is a good answer."""
        wanting: Lacking = {}
        for at in found.needs.keys:
            moment = oldest if at in found.needs.parts else None
            head = found.snapshot.parts.get(at)
            if found.freshness_of(at) in TO_BE_FETCHED_FIRST or is_older(head, moment):
                wanting[at] = moment
        return wanting

    async def _wait(
        self, user_id: UserId, question: CacheQuery, found: CacheResult, oldest: datetime | None
    ) -> CacheResult:
        """Return what is found once no more can be had in time. Raises AvailabilityPending."""
        loop = asyncio.get_running_loop()
        until, tries = loop.time() + WAIT_SECONDS, Counter[CacheKey]()
        while lacking := self._untried(found, oldest, tries):
            left = until - loop.time()
            if left <= 0:
                return self._in_time(found, lacking)
            settled = await self._single_flight.wait(found.snapshot.integration.id, lacking, left)
            found = await self._look(user_id, question)
            if settled is None:
                continue
            if settled:
                tries.update(list(lacking))
            else:
                await asyncio.sleep(PAUSE)
        renewed = not self._wanting(found, oldest)
        self._telemetry.availability_wait("fetched" if renewed else "not_fetched")
        return found

    def _untried(
        self, found: CacheResult, oldest: datetime | None, tries: Mapping[CacheKey, int]
    ) -> Lacking:
        """Return what is worth another attempt; without a grant nothing is."""
        if not has_grant(found.snapshot.integration):
            return {}
        lacking = self._lacking(found, oldest)
        return {at: moment for at, moment in lacking.items() if tries[at] < TRIES}

    def _in_time(self, found: CacheResult, lacking: Lacking) -> CacheResult:
        """Return what is old but was asked for in vain: the last known beats no answer.

        Raises AvailabilityPending where there is none, or none that the reader would take.
        """
        for at, moment in lacking.items():
            if found.freshness_of(at) is Freshness.MISSING or is_older(
                found.snapshot.parts.get(at), moment
            ):
                self._telemetry.availability_wait("pending")
                raise AvailabilityPending(
                    "This user's availability is being fetched; ask again shortly.",
                    retry_after=RETRY_AFTER,
                )
        self._telemetry.availability_wait("not_fetched")
        return found

    def _renew_behind(self, found: CacheResult) -> None:
        """Let what is not fresh any more be fetched behind the answer."""
        old: Lacking = {
            part.at: None
            for part in found.known
            if found.freshness_of(part.at) in TO_BE_RENEWED and may_be_asked(part, found.now)
        }
        if old and has_grant(found.snapshot.integration):
            self._single_flight.in_background(found.snapshot.integration.id, old)


def has_grant(integration: Integration) -> bool:
    """Whether Calendly can be asked for this user at all."""
    return integration.status is Status.ACTIVE and integration.tokens is not None


def _require(found: CacheResult) -> None:
    """Raise why there is nothing to answer with, unless there is."""
    for at in (*found.needs.consulted, *found.needs.parts[:1]):
        if found.freshness_of(at) is Freshness.MISSING:
            usable_tokens(found.snapshot.integration)
            part = found.snapshot.parts.get(at)
            if part is not None and part.error_code is not None:
                raise fetch_error(part, found.now)
            raise AvailabilityPending(
                "This user's availability could not be fetched yet; ask again shortly.",
                retry_after=RETRY_AFTER,
            )
