"""Read cache entries, and fetch them first where they are missing or too old.

Fresh entries are served. Stale and invalidated ones are served immediately, while one refresh runs
in the background. Entries that are missing, expired or older than the caller allows are fetched
once for all waiting callers, and no caller waits longer than WAIT_SECONDS. While Calendly is
unavailable the last known entries are served.
"""

import asyncio
import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from msgspec.structs import replace

from application.availability.cache_entries import is_readable
from application.availability.cache_query import CacheQuery, CacheResult
from application.availability.refresh_scope import RequestedKeys, is_backing_off, is_older
from application.availability.single_flight import SingleFlight
from application.availability.usage_tracking import UsageTracker
from application.ports.clock import Clock
from application.ports.storage.availability_cache import (
    CacheEntry,
    CacheKey,
    CacheKind,
    CacheSnapshot,
)
from application.ports.storage.unit_of_work import Storage
from application.ports.telemetry import Telemetry
from domain.cache_policy import CachePolicy, Freshness
from domain.errors import (
    AvailabilityPending,
    CalendarBroken,
    CalendlyForbidden,
    CalendlyNotFound,
    CalendlyRejected,
    ClientRefused,
    EncryptionKeyUnknown,
    EventTypeNotFound,
    IntegrationNotFound,
    InvalidInput,
    ScopeMissing,
    SealedValueCorrupt,
    SealedValueUnreadable,
    SlotkeeperError,
)
from domain.ids import UserId
from domain.integration import Integration, Status, usable_tokens
from domain.sync_plan import may_be_fetched

WAIT_SECONDS = 5.0
RETRY_AFTER = 2.0  # seconds
UNFETCHED_RETRY_SECONDS = 60.0
PAUSE_SECONDS = 0.1
# A refresh that was running already may have been for less than this caller wants.
TRIES = 2
FETCHED_FIRST = frozenset({Freshness.EXPIRED, Freshness.MISSING})
REFRESHED_IN_BACKGROUND = frozenset({Freshness.STALE, Freshness.INVALIDATED})
_NAMES = {
    CacheKind.EVENT_TYPES: "This user's event types",
    CacheKind.SLOTS: "This event type's slots",
    CacheKind.BUSY: "This user's busy times",
    CacheKind.SCHEDULES: "This user's schedules",
}
# A permanent failure is reported with its own code. Only a temporary one is reported as pending,
# so that callers do not retry without a chance of success.
_PERMANENT: dict[type[SlotkeeperError], str] = {
    CalendarBroken: "the host's calendar connection is broken and must be repaired at Calendly",
    CalendlyForbidden: "Calendly forbids it",
    CalendlyNotFound: "Calendly does not know them",
    CalendlyRejected: "Calendly refused the request",
    ClientRefused: "Calendly refused this service's credentials",
    ScopeMissing: "a permission is missing at Calendly",
    EncryptionKeyUnknown: "the key that sealed the stored tokens is missing",
    SealedValueCorrupt: "the stored tokens are corrupt",
    SealedValueUnreadable: "the stored tokens cannot be opened",
}


@dataclass(frozen=True, kw_only=True)
class ReadThroughCache:
    storage: Storage
    single_flight: SingleFlight
    usage: UsageTracker
    clock: Clock
    telemetry: Telemetry
    policy: CachePolicy

    async def read(
        self, user_id: UserId, query: CacheQuery, *, max_age: timedelta | None = None
    ) -> CacheResult:
        """Return the entries that a query requires; the first source has content.

        Args:
            user_id: the user.
            query: names the required entries.
            max_age: the maximal age of the sources. Older ones are fetched first, or served as
                they are when Calendly is unavailable.

        Raises:
            InvalidInput: `max_age` is negative.
            IntegrationNotFound: no Calendly account is connected, or it is being disconnected.
            ReauthRequired: nothing is cached and the grant is gone.
            AvailabilityPending: a fetch did not end in time, or failed for a temporary reason and
                nothing is cached; with `retry_after`.
            SlotkeeperError: nothing is cached, for the reason that the error names.

        """
        if max_age is not None and max_age < timedelta():
            raise InvalidInput("max_age must be zero or more.")
        asked_at = self.clock.now()
        # An entry older than the TTL has expired for every caller.
        oldest = None if max_age is None else asked_at - min(max_age, self.policy.ttl)
        result = await self._look_up(user_id, query)
        for key in result.required.keys:
            self.telemetry.availability_read(key.kind, result.freshness_of(key))
        if await self._is_worth_waiting(result, oldest):
            result = await self._wait(user_id, query, result, oldest)
        _require(result)
        self._refresh_in_background(result)
        # The time is from before the fetch that this read causes: only a later read shows that
        # callers read the fetched entry.
        self.usage.record(user_id, result.usable, asked_at)
        return result

    async def _is_worth_waiting(self, result: CacheResult, oldest: datetime | None) -> bool:
        """Whether a fetch may give a better response than the last known entries."""
        fetchable = self._fetchable(result, oldest)
        if any(result.freshness_of(key) is Freshness.MISSING for key in fetchable):
            return True
        return bool(fetchable) and not await self.single_flight.is_breaker_open()

    async def _look_up(self, user_id: UserId, query: CacheQuery) -> CacheResult:
        now = self.clock.now()
        keys, occupied_in = query.first_keys(now)
        while True:
            snapshot = await self.storage.cache_lookup().read(
                user_id, keys, occupied_in=occupied_in
            )
            if snapshot is None:
                raise IntegrationNotFound(
                    "No Calendly account is connected; see /api/calendly/connect."
                )
            snapshot = await self._without_unreadable(user_id, snapshot)
            required = query.required_keys(snapshot.entries, now)
            more = tuple(key for key in required.keys if key not in keys)
            if not more:
                return CacheResult(snapshot, required, now, self.policy)
            keys += more

    async def _without_unreadable(self, user_id: UserId, snapshot: CacheSnapshot) -> CacheSnapshot:
        """Drop entries that another version of the program stored in another format.

        They are deleted from the store too. Otherwise a refresh would find them fresh, or Calendly
        would report them as unchanged.
        """
        unreadable = [key for key, entry in snapshot.entries.items() if not is_readable(entry)]
        if not unreadable:
            return snapshot
        async with self.storage() as uow:
            await uow.availability.drop(user_id, unreadable)
            await uow.commit()
        readable = {key: each for key, each in snapshot.entries.items() if key not in unreadable}
        return replace(snapshot, entries=readable)

    def _fetchable(self, result: CacheResult, oldest: datetime | None) -> RequestedKeys:
        """Return the entries to fetch before a good response, without those that back off."""
        integration, now = result.snapshot.integration, result.now
        return {
            key: moment
            for key, moment in self._outdated(result, oldest).items()
            if not is_backing_off(result.entry(key), integration, now, waited_for=True)
        }

    def _outdated(self, result: CacheResult, oldest: datetime | None) -> RequestedKeys:
        """Return the entries to fetch before a good response."""
        outdated: dict[CacheKey, datetime | None] = {}
        for key in result.required.keys:
            moment = oldest if key in result.required.sources else None
            if result.freshness_of(key) in FETCHED_FIRST or is_older(result.entry(key), moment):
                outdated[key] = moment
        return outdated

    async def _wait(
        self, user_id: UserId, query: CacheQuery, result: CacheResult, oldest: datetime | None
    ) -> CacheResult:
        """Return the entries after all fetches that end in time. Raises AvailabilityPending."""
        loop = asyncio.get_running_loop()
        until, tries = loop.time() + WAIT_SECONDS, Counter[CacheKey]()
        while requested := self._worth_a_try(result, oldest, tries):
            left = until - loop.time()
            if left <= 0:
                return self._after_timeout(result, requested)
            ended = await self.single_flight.wait(result.snapshot.integration.id, requested, left)
            result = await self._look_up(user_id, query)
            if ended is None:
                continue
            if ended:
                tries.update(list(requested))
            else:
                await asyncio.sleep(PAUSE_SECONDS)
        is_renewed = not self._outdated(result, oldest)
        self.telemetry.availability_wait("fetched" if is_renewed else "not_fetched")
        return result

    def _worth_a_try(
        self, result: CacheResult, oldest: datetime | None, tries: Mapping[CacheKey, int]
    ) -> RequestedKeys:
        """Return the entries that are worth another attempt; without a grant none is."""
        if not has_grant(result.snapshot.integration):
            return {}
        fetchable = self._fetchable(result, oldest)
        return {key: moment for key, moment in fetchable.items() if tries[key] < TRIES}

    def _after_timeout(self, result: CacheResult, requested: RequestedKeys) -> CacheResult:
        """Return the old entries if the caller accepts them.

        Raises AvailabilityPending if an entry is missing, or older than the caller allows.
        """
        for key, moment in requested.items():
            is_missing = result.freshness_of(key) is Freshness.MISSING
            if is_missing or is_older(result.entry(key), moment):
                self.telemetry.availability_wait("pending")
                raise AvailabilityPending(
                    "This user's availability is being fetched; retry after 2 seconds.",
                    retry_after=RETRY_AFTER,
                )
        self.telemetry.availability_wait("not_fetched")
        return result

    def _refresh_in_background(self, result: CacheResult) -> None:
        """Start a refresh of the entries that are no longer fresh."""
        old: RequestedKeys = {
            each.cache_key: None
            for each in result.usable
            if result.freshness_of(each.cache_key) in REFRESHED_IN_BACKGROUND
            and may_be_fetched(each, result.now)
        }
        if old and has_grant(result.snapshot.integration):
            self.single_flight.in_background(result.snapshot.integration.id, old)


def has_grant(integration: Integration) -> bool:
    """Whether Calendly can be called for this user at all."""
    return integration.status is Status.ACTIVE and integration.tokens is not None


def _require(result: CacheResult) -> None:
    """Raise the reason why there is no response, if there is none."""
    for key in (*result.required.consulted, *result.required.sources[:1]):
        if result.freshness_of(key) is Freshness.MISSING:
            usable_tokens(result.snapshot.integration)
            entry = result.entry(key)
            if entry is not None and entry.error_code is not None:
                raise fetch_error(entry, result.now)
            raise AvailabilityPending(
                "This user's availability could not be fetched yet; retry after 2 seconds.",
                retry_after=RETRY_AFTER,
            )


def fetch_error(entry: CacheEntry, now: datetime) -> SlotkeeperError:
    """Return the error for an entry without content, at this time (UTC)."""
    if entry.kind is CacheKind.SLOTS and entry.error_code == CalendlyNotFound.code:
        return EventTypeNotFound("Calendly no longer offers this event type.")
    name = _NAMES[entry.kind]
    for error, reason in _PERMANENT.items():
        if error.code == entry.error_code:
            return error(f"{name} cannot be fetched: {reason}.")
    retry_after = _retry_after(entry, now)
    return AvailabilityPending(
        f"{name} could not be fetched yet ({entry.error_code}); "
        f"retry after {retry_after:.0f} seconds.",
        retry_after=retry_after,
    )


def _retry_after(entry: CacheEntry, now: datetime) -> float:
    if entry.retry_at is None:
        return UNFETCHED_RETRY_SECONDS
    return max(math.ceil((entry.retry_at - now).total_seconds()), 1)
