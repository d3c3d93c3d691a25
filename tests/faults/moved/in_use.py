"""A day of use: no user's request waits for a refresh, since the job ran before it."""

from datetime import timedelta
from random import Random
from typing import ClassVar

from domain.secret import Secret
from tests.faults.moved.accounts import Accounts
from tests.faults.moved.schedule import Schedule
from tests.faults.moved.stage import Stage, staged
from tests.faults.moved.users import Users
from tests.faults.row import Row
from tests.faults.scenarios import Size as AnySize

EVERY = timedelta(minutes=5)
VISITS_AN_HOUR = 12
CALLS_AN_HOUR = 3


class Size(AnySize, frozen=True):
    """How many integrations are in use, for how many moved hours, and whether the job runs."""

    SCALES: ClassVar[tuple[str, ...]] = ("integrations",)
    integrations: int = 1_000
    hours: int = 24
    job_runs: bool = True


FULL = Size()


async def run(size: Size, database: Secret | None = None) -> list[Row]:
    """Let all users call several times an hour, at random."""
    async with staged(size.integrations, database) as stage:
        accounts, users = Accounts(stage), Users(stage)
        await _connect_over_an_hour(stage, accounts, size.integrations)
        random = Random("users")  # noqa: S311 - the same day in every run

        async def visit() -> None:
            share = CALLS_AN_HOUR / VISITS_AN_HOUR
            await users.call([each for each in accounts.ids if random.random() < share])

        schedule = Schedule(stage, on_tick=visit, runs=size.job_runs)
        schedule.every(EVERY, visit)
        await schedule.play(stage.clock.now() + timedelta(hours=size.hours))
        return [_row(size, users, schedule, await stage.calendly.counters())]


async def _connect_over_an_hour(stage: Stage, accounts: Accounts, count: int) -> None:
    """Connect so that tokens expire at all times of the hour."""
    for visits_left in range(VISITS_AN_HOUR, 0, -1):
        await accounts.connect((count - len(accounts.ids)) // visits_left)
        await stage.move_to(stage.clock.now() + EVERY)


def _row(size: Size, users: Users, schedule: Schedule, counters: dict[str, dict[str, int]]) -> Row:
    calls, rejected = users.calls.total(), counters["statuses"].get("401", 0)
    return Row(
        what=f"{size.hours} moved hours, {size.integrations:,} integrations in use",
        must="0 of the users' requests had to wait for a refresh",
        seen=f"{users.refresh.waited:,} of {calls:,} waited, {rejected:,} met a 401;"
        f" {schedule.done.done.get('refreshed', 0):,} refreshes by the job;"
        f" requests ended {dict(users.calls)}",
        holds=users.refresh.waited == 0 and rejected == 0 and calls == users.calls["ok"] > 0,
    )
