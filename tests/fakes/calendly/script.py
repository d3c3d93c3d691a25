"""The next calls as a test arranges them: failures, lost answers, calls held half-way."""

import asyncio
from collections import Counter, defaultdict, deque
from types import TracebackType
from typing import NamedTuple

from domain.errors import SlotkeeperError


class Failure(NamedTuple):
    """One scripted failure; `processed` means the call takes effect before it fails."""

    error: SlotkeeperError
    processed: bool


class Hold:
    """A call kept waiting before it is processed."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()
        self._released = asyncio.Event()

    def release(self) -> None:
        """Let the call go on."""
        self._released.set()

    async def wait(self) -> None:
        """Called by the fake: say that the call is here and wait for its release."""
        self.reached.set()
        await self._released.wait()


class Script:
    """Failures by method name, in order; counts of every call.

    Attributes:
        calls: how often each method was called, failed calls included.

    """

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self._next: defaultdict[str, deque[Failure]] = defaultdict(deque)
        self._always: dict[str, Failure] = {}
        self._holds: defaultdict[str, deque[Hold]] = defaultdict(deque)

    def fail_next(
        self, method: str, error: SlotkeeperError, *, times: int = 1, processed: bool = False
    ) -> None:
        """Let the next calls of a method fail.

        Args:
            method: the port method's name.
            error: what they raise.
            times: how many of them.
            processed: true for a lost answer: the call takes effect, then fails.

        """
        self._next[method].extend([Failure(error, processed)] * times)

    def fail_always(self, method: str, error: SlotkeeperError) -> None:
        """Let every call of a method fail unprocessed until `heal`."""
        self._always[method] = Failure(error, processed=False)

    def heal(self) -> None:
        """Forget every scripted failure."""
        self._next.clear()
        self._always.clear()

    def hold_next(self, method: str) -> Hold:
        """Keep the next call of a method waiting until the returned hold is released."""
        hold = Hold()
        self._holds[method].append(hold)
        return hold

    def call(self, method: str) -> "Call":
        """Return the context in which a call is processed: counted, held, failed as scripted."""
        return Call(self, method)

    async def begin(self, method: str) -> Failure | None:
        """Count a call and let others run as a real one would; return how it is to fail."""
        self.calls[method] += 1
        if self._holds[method]:
            await self._holds[method].popleft().wait()
        await asyncio.sleep(0)
        waiting = self._next[method]
        return waiting.popleft() if waiting else self._always.get(method)


class Call:
    """One call: a scripted failure comes before its effect, or after it (a lost answer)."""

    def __init__(self, script: Script, method: str) -> None:
        self._script = script
        self._method = method
        self._failure: Failure | None = None

    async def __aenter__(self) -> None:
        self._failure = await self._script.begin(self._method)
        if self._failure is not None and not self._failure.processed:
            raise self._failure.error

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is None and self._failure is not None:
            raise self._failure.error
