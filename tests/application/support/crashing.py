"""A store and a Calendly at each of whose steps the process may die.

A step is every moment at which the product waits for the store or for Calendly. A crash there
ends the process's work with CancelledError, so that no error handling of ours runs after it.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import TracebackType

from application.ports.calendly.bookings import BookingRequest
from application.ports.clock import Clock
from domain.token import Access
from tests.fakes.calendly.fake_calendly import FakeCalendly
from tests.fakes.calendly.script import Call, Script
from tests.fakes.state import State
from tests.fakes.storage import FakeStorage, FakeUnitOfWork


class Steps:
    """Counts steps; dies at the given one."""

    def __init__(self) -> None:
        self._left: int | None = None
        self.died_at: str | None = None

    def die_at(self, number: int) -> None:
        """Die at this step, counted from 0 and from now."""
        self._left, self.died_at = number, None

    def live(self) -> None:
        """Stop dying."""
        self._left = None

    def take(self, name: str) -> None:
        """Pass this step, or die."""
        if self._left is None:
            return
        if self._left == 0:
            self._left, self.died_at = None, name
            raise asyncio.CancelledError(name)
        self._left -= 1


class CrashingStorage(FakeStorage):
    """A store where opening and either side of a commit are steps."""

    def __init__(self, steps: Steps) -> None:
        super().__init__()
        self._steps = steps

    @asynccontextmanager
    async def __call__(self) -> AsyncIterator[FakeUnitOfWork]:
        """Begin."""
        self._steps.take("opening")
        async with super().__call__() as uow:
            yield uow

    def settle(self, state: State) -> None:
        """Commit."""
        self._steps.take("before the commit")
        super().settle(state)
        self._steps.take("after the commit")


class CrashingCall(Call):
    """A call where the request's leaving and the answer's arriving are steps."""

    def __init__(self, script: Script, method: str, steps: Steps) -> None:
        super().__init__(script, method)
        self._steps, self._name = steps, method

    async def __aenter__(self) -> None:
        self._steps.take(f"before {self._name}")
        await super().__aenter__()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await super().__aexit__(kind, error, traceback)
        if error is None:
            self._steps.take(f"after {self._name}")


class CrashingCalendly(FakeCalendly):
    """A Calendly where each call has two steps; `requests` keeps what it was asked to book."""

    def __init__(self, clock: Clock, steps: Steps) -> None:
        super().__init__(clock)
        self._steps = steps
        self.requests: list[BookingRequest] = []

    async def book(self, access: Access, request: BookingRequest) -> str:
        """Keep the request and book."""
        self.requests.append(request)
        return await super().book(access, request)

    def call(self, method: str) -> Call:
        """Return the context in which a call is processed."""
        return CrashingCall(self, method, self._steps)
