"""Calendly is down for six hours, answering 503 or nothing at all, and comes back."""

from datetime import datetime, timedelta
from random import Random
from statistics import median
from typing import ClassVar, Literal, NamedTuple

from adapters.calendly.http import READ_TIMEOUT
from application.ports.storage.breakers import Surface
from domain.circuit_breaker import JITTER, Breaker, BreakerState
from domain.errors import (
    CalendlyUnavailable,
    CalendlyUncertain,
    CircuitOpen,
    RefreshInProgress,
)
from domain.integration import Integration, Status
from domain.secret import Secret
from tests.faults.moved.accounts import Accounts
from tests.faults.moved.schedule import HOUR, Schedule
from tests.faults.moved.stage import Stage, staged
from tests.faults.moved.users import Users
from tests.faults.row import Row
from tests.faults.scenarios import Size as AnySize

LASTS = 6 * HOUR
# Neither begins nor ends at the job's tick; every token falls due during the outage.
BEGINS_AFTER = timedelta(minutes=17)
VISITS_EVERY = timedelta(minutes=5)
CALLERS = 0.01  # of all users, at each visit
SHORT_TIMEOUT = 0.02  # seconds for an answer, while none comes
NEVER = 10**9  # failures in a row
AT_ONCE = 1.0  # seconds; a refusal that does not wait
MOST = 0.01  # of the calls that no breaker would make
RESETS = 2
# The answers to those few users whose request itself finds out that Calendly is down, or meets
# an exchange whose outcome is not known yet.
FOUND_OUT = {CalendlyUnavailable.code, CalendlyUncertain.code, RefreshInProgress.code}

Kind = Literal["503", "hangs"]


class Size(AnySize, frozen=True):
    """How many integrations, and how many the same is played with where nothing breaks off."""

    SCALES: ClassVar[tuple[str, ...]] = ("integrations", "without_breakers")
    integrations: int = 10_000
    without_breakers: int = 100
    kinds: tuple[Kind, ...] = ("503", "hangs")


FULL = Size()


class Seen(NamedTuple):
    """The result of one outage.

    Args:
        calls: requests that Calendly got while it was down.
        users: how the users' requests ended during the outage.
        refused: how long refusals took (seconds).
        found: the integrations once two reset times were over.
        reset: the longest time a shared breaker was open for as the outage ended.
        recovered: how long after the end all were healthy, or None.

    """

    calls: int
    users: dict[str, int]
    refused: list[float]
    found: list[Integration]
    reset: timedelta
    recovered: timedelta | None


async def run(size: Size, database: Secret | None = None) -> list[Row]:
    """Play an outage of each kind, and one without breakers to compare with."""
    unbroken = await _play(size.without_breakers, "503", database, threshold=NEVER)
    each = unbroken.calls / size.without_breakers
    return [
        _row(kind, size, await _play(size.integrations, kind, database), each)
        for kind in size.kinds
    ]


async def _play(
    count: int, kind: Kind, database: Secret | None, *, threshold: int | None = None
) -> Seen:
    settings = {} if threshold is None else {"breaker_threshold": threshold}
    async with staged(count, database, **settings) as stage:
        return await _Outage(stage, kind).play(count)


class _Outage:
    """One outage, from the first connection to the last recovery."""

    def __init__(self, stage: Stage, kind: Kind) -> None:
        self._stage = stage
        self._kind = kind
        self._accounts = Accounts(stage)
        self._users = Users(stage)
        self._random = Random("users")  # noqa: S311 - the same day in every run
        self._ended_at: datetime | None = None
        self._recovered: timedelta | None = None
        self._reset = timedelta()
        self._calls = 0
        self._ends: dict[str, int] = {}
        self._refused: list[float] = []

    async def play(self, count: int) -> Seen:
        """Connect, make Calendly fail and recover, and wait for two reset times."""
        await self._accounts.connect(count)
        stage, schedule = self._stage, Schedule(self._stage, when_idle=self._look)
        begins = stage.clock.now() + BEGINS_AFTER
        schedule.every(VISITS_EVERY, self._visit)
        schedule.at(begins, self._go_down)
        schedule.at(begins + LASTS, self._come_back)
        longest = stage.made.settings.breaker_longest * (1 + JITTER)
        await schedule.play(begins + LASTS + RESETS * longest)
        return Seen(
            calls=self._calls,
            users=self._ends,
            refused=self._refused,
            found=await self._accounts.all(),
            reset=self._reset,
            recovered=self._recovered,
        )

    async def _visit(self) -> None:
        chance = self._random.random
        await self._users.call([each for each in self._accounts.ids if chance() < CALLERS])
        await self._look()

    async def _go_down(self) -> None:
        self._users.calls.clear()
        self._calls = -await self._stage.calendly.requests()
        if self._kind == "hangs":
            await self._stage.calendly.fault(kind="hang")
            self._stage.line.timeout = SHORT_TIMEOUT
        else:
            await self._stage.calendly.fault(kind="status", status=503)

    async def _come_back(self) -> None:
        self._calls += await self._stage.calendly.requests()
        self._ends, self._refused = dict(self._users.calls), list(self._users.refused)
        self._stage.line.timeout = READ_TIMEOUT
        await self._stage.calendly.recover()
        self._reset = max(_open_for(each) for each in await self._breakers())
        self._ended_at = self._stage.clock.now()

    async def _look(self) -> None:
        """Note when all is well again."""
        if self._ended_at is None or self._recovered is not None:
            return
        if any(each.state is not BreakerState.CLOSED for each in await self._breakers()):
            return
        now = self._stage.clock.now()
        if all(is_healthy(each, now) for each in await self._accounts.all()):
            self._recovered = now - self._ended_at

    async def _breakers(self) -> list[Breaker]:
        return [await self._stage.web.circuit_breakers.current(surface) for surface in Surface]


def _open_for(breaker: Breaker) -> timedelta:
    if breaker.open_until is None or breaker.opened_at is None:
        return timedelta()
    return breaker.open_until - breaker.opened_at


def is_healthy(integration: Integration, now: datetime) -> bool:
    """Whether an integration is as if nothing had been."""
    tokens = integration.tokens
    return (
        integration.status is Status.ACTIVE
        and tokens is not None
        and tokens.expires_at > now
        and integration.breaker.state is BreakerState.CLOSED
        and integration.last_error_code is None
    )


def _row(kind: Kind, size: Size, seen: Seen, unbroken_each: float) -> Row:
    lost = sum(1 for each in seen.found if each.status is not Status.ACTIVE)
    unbroken = unbroken_each * size.integrations
    recovered = seen.recovered
    return Row(
        what=f"Calendly {kind} for 6 moved hours, {size.integrations:,} integrations",
        must=f"0 `reauth_required`; calls at most {MOST:.0%} of what no breaker would make; users"
        " refused at once with `circuit_open`; all healthy within two reset times",
        seen=f"{lost} `reauth_required`; {seen.calls:,} calls of {unbroken:,.0f}"
        f" ({seen.calls / unbroken:.2%}; {unbroken_each:.1f} an integration, as the same six"
        f" hours took with {size.without_breakers:,} integrations and no breaker); users:"
        f" {seen.users}, refused in {median(seen.refused) * 1000:.0f} ms,"
        f" {max(seen.refused) * 1000:.0f} at most; reset time"
        f" {_minutes(seen.reset)}, all healthy after {_minutes(recovered)}",
        holds=lost == 0
        and seen.calls <= MOST * unbroken
        and 0 < seen.users.get(CircuitOpen.code, 0) == len(seen.refused)
        and set(seen.users) <= FOUND_OUT | {CircuitOpen.code}
        and recovered is not None
        and recovered <= RESETS * seen.reset
        and max(seen.refused) < AT_ONCE,
    )


def _minutes(span: timedelta | None) -> str:
    return "never" if span is None else f"{span.total_seconds() / 60:.1f} min"
