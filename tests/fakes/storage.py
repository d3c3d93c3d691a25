"""A store in memory with real transactions: nothing counts before its commit."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar

from domain.errors import StorageUnavailable
from tests.fakes.api_keys import FakeApiKeys
from tests.fakes.audit import FakeAudit
from tests.fakes.availability_cache import FakeAvailabilityCache
from tests.fakes.booking_commands import FakeBookingCommands
from tests.fakes.bookings import FakeBookings
from tests.fakes.breakers import FakeBreakers
from tests.fakes.cache_lookup import FakeCacheLookup
from tests.fakes.caller_lookup import FakeCallers
from tests.fakes.connect_attempts import FakeConnectAttempts
from tests.fakes.encrypted_values import FakeSealedValues
from tests.fakes.erasure_archive import FakeErasureArchive
from tests.fakes.erasures import FakeErasures
from tests.fakes.expired import FakeExpired
from tests.fakes.integrations import FakeIntegrations
from tests.fakes.personal_data import FakePersonalData
from tests.fakes.refresh_log import SingleRefreshLog
from tests.fakes.refresh_queue import FakeRefreshQueue
from tests.fakes.state import State
from tests.fakes.sync_queue import FakeSyncQueue
from tests.fakes.user_erasures import FakeUserErasures
from tests.fakes.users import FakeUsers
from tests.fakes.webhook_archive import FakeWebhookArchive
from tests.fakes.webhook_events import FakeWebhookEvents

_INSIDE: ContextVar[bool] = ContextVar("inside a fake unit of work", default=False)


class FakeUnitOfWork:
    """Implements the UnitOfWork port on a copy of the state."""

    def __init__(self, storage: "FakeStorage") -> None:
        state = storage.state.snapshot()
        self._storage = storage
        self._state = state
        self.users = FakeUsers(state)
        self.api_keys = FakeApiKeys(state)
        self.connect_attempts = FakeConnectAttempts(state)
        self.integrations = FakeIntegrations(state)
        self.refresh_queue = FakeRefreshQueue(state)
        self.sync_queue = FakeSyncQueue(state)
        self.availability = FakeAvailabilityCache(state)
        self.webhook_events = FakeWebhookEvents(state)
        self.bookings = FakeBookings(state)
        self.booking_commands = FakeBookingCommands(state)
        self.breakers = FakeBreakers(state)
        self.sealed_values = FakeSealedValues(state)
        self.webhook_archive = FakeWebhookArchive(state)
        self.expired = FakeExpired(state)
        self.erasures = FakeErasures(state)
        self.erasure_archive = FakeErasureArchive(state)
        self.user_erasures = FakeUserErasures(state)
        self.personal_data = FakePersonalData(state)
        self.audit = FakeAudit(state)

    async def commit(self) -> None:
        """Make the changes count, or fail as scripted."""
        outcome = self._state.snapshot()
        self._state.end()
        self._storage.settle(outcome)


class FakeStorage:
    """Implements the Storage port; one unit of work at a time, in the order they ask.

    Script its failures with `fail_next` and `fail_next_commit`, or for as long as it takes with
    `away`; look at `state` and `commits`.
    """

    def __init__(self) -> None:
        self.state = State()
        self.commits = 0
        self.away = False
        self._one_at_a_time = asyncio.Lock()
        self._openings: list[Exception | None] = []
        self._commits: list[tuple[Exception, bool]] = []

    @asynccontextmanager
    async def __call__(self) -> AsyncIterator[FakeUnitOfWork]:
        """Begin; see the Storage port."""
        if _INSIDE.get():
            raise RuntimeError("a unit of work is open in this task already")
        if self.away:
            raise StorageUnavailable("The fake store is down.")
        error = self._openings.pop(0) if self._openings else None
        if error is not None:
            raise error
        async with self._one_at_a_time:
            _INSIDE.set(True)
            try:
                yield FakeUnitOfWork(self)
            finally:
                _INSIDE.set(False)

    def refresh_log(self) -> SingleRefreshLog:
        """Return a log that writes a record at a time."""
        return SingleRefreshLog(self)

    def cache_lookup(self) -> FakeCacheLookup:
        """Return looks that are a unit of work each."""
        return FakeCacheLookup(self)

    def callers(self) -> FakeCallers:
        """Return looks that are a unit of work each."""
        return FakeCallers(self)

    async def ping(self) -> None:
        """Answer, unless the next opening is scripted to fail."""
        async with self():
            pass

    async def pending_migrations(self) -> list[str]:
        """A fake store is always up to date."""
        return []

    def fail_next(self, *errors: Exception | None) -> None:
        """Let the next openings fail, one error each; None lets one through."""
        self._openings.extend(errors or [StorageUnavailable("The fake store is down.")])

    def fail_next_commit(self, error: Exception | None = None, *, stored: bool = False) -> None:
        """Let the next commit fail: by default nothing is stored.

        `stored` plays the other half of an unknown outcome: everything is stored, and only the
        answer was lost.
        """
        self._commits.append((error or StorageUnavailable("The commit was lost."), stored))

    def settle(self, state: State) -> None:
        """Take over a unit of work's state, or fail as scripted."""
        error, stored = self._commits.pop(0) if self._commits else (None, True)
        if stored:
            self.state = state
            self.commits += 1
        if error is not None:
            raise error
