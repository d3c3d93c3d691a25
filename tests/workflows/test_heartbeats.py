import asyncio
import dataclasses
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

import msgspec
from temporalio.testing import ActivityEnvironment

from adapters.wiring.services import Services
from application.jobs.job_result import JobResult, Progress
from application.ports.unsaved_tokens import UnsavedTokenPair, UnsavedTokens
from domain.ids import IntegrationId
from domain.token import SealedTokens
from tests.workflows.fakes import CursorRows, DueRows
from workflows.activities.pages import PageActivities
from workflows.messages import PageInput


def environment(*details: Any, timeout: timedelta | None = None) -> ActivityEnvironment:
    """Return what an attempt sees that follows one with these heartbeat details."""
    made = ActivityEnvironment()
    made.info = dataclasses.replace(
        made.info, heartbeat_details=details, heartbeat_timeout=timeout
    )
    return made


def recording(made: ActivityEnvironment) -> list[JobResult]:
    """Return a list that grows with every heartbeat."""
    beats: list[JobResult] = []
    made.on_heartbeat = lambda *details: beats.append(details[0])
    return beats


def activities(**use_cases: Any) -> PageActivities:
    """Return the activities over these fakes."""
    return PageActivities(cast(Services, SimpleNamespace(**use_cases)), page_size=10)


def due(rows: list[str]) -> PageActivities:
    """Return the activities over a queue of rows to refresh."""
    return activities(refresh_due_tokens=DueRows(rows=rows))


async def test_heartbeats_show_the_progress() -> None:
    """While a page is worked the Temporal UI shows its progress, without a heartbeat a row."""
    made = environment()
    beats = recording(made)

    await made.run(due(["refreshed", "GRANT_REFUSED"]).refresh_due_tokens, PageInput())

    assert beats == [JobResult(examined=1, done={"refreshed": 1})]


async def test_what_a_killed_attempt_did_is_still_counted() -> None:
    """Rows that were done before a worker died are part of the page's result."""
    made = environment({"examined": 40, "done": {"refreshed": 40}})
    beats = recording(made)

    result = await made.run(due(["refreshed"]).refresh_due_tokens, PageInput())

    assert result == JobResult(examined=41, done={"refreshed": 41})
    assert beats[-1] == result


async def test_heartbeats_of_another_shape_are_passed_over() -> None:
    """Details that another version left behind cost their counts, not the page."""
    made = environment("not a tally")

    result = await made.run(due(["refreshed"]).refresh_due_tokens, PageInput())

    assert result == JobResult(examined=1, done={"refreshed": 1})


async def test_a_sweep_that_begins_again_counts_its_page_once() -> None:
    """A page by cursor is worked from its beginning, so earlier counts are dropped."""
    made = environment({"examined": 1, "done": {"kept": 1}})
    rows = CursorRows(rows=["kept"] * 2)
    pages = activities(heal_subscriptions=rows)

    result = await made.run(pages.heal_subscriptions, PageInput())

    assert result == JobResult(examined=2, done={"kept": 2})


async def test_a_page_that_waits_goes_on_beating() -> None:
    """A slow row is not taken for a dead worker."""
    enough = asyncio.Event()
    beats: list[JobResult] = []

    async def slow(_limit: int, progress: Progress, _unsaved_tokens: UnsavedTokens) -> JobResult:
        progress(JobResult(examined=1))
        await enough.wait()
        return JobResult(examined=1)

    def beat(job_result: JobResult) -> None:
        beats.append(job_result)
        if beats.count(JobResult(examined=1)) >= 4:
            enough.set()

    made = environment(timeout=timedelta(milliseconds=30))
    made.on_heartbeat = beat
    work = activities(refresh_due_tokens=slow)

    result = await asyncio.wait_for(made.run(work.refresh_due_tokens, PageInput()), timeout=5)
    after = len(beats)
    await asyncio.sleep(0.05)

    assert result == JobResult(examined=1)
    assert len(beats) == after


PAIR = UnsavedTokenPair(
    integration_id=IntegrationId(UUID(int=7)),
    connected_at=datetime(2026, 11, 22, 12, tzinfo=UTC),
    replaces=3,
    exchanged_at=datetime(2026, 11, 22, 12, tzinfo=UTC),
    tokens=SealedTokens("v1.k1.a", "v1.k1.r", datetime(2026, 11, 22, 14, tzinfo=UTC), 4),
    scopes=("users:read",),
)


async def test_a_pair_that_cannot_be_stored_rides_in_the_heartbeat() -> None:
    """A token pair that cannot be stored is sent immediately in a heartbeat, after the result."""
    made = environment()
    reports: list[tuple[Any, ...]] = []
    made.on_heartbeat = lambda *details: reports.append(details)
    work = activities(refresh_due_tokens=DueRows(unsaved=[PAIR]))

    await made.run(work.refresh_due_tokens, PageInput())

    assert reports == [(JobResult(), [PAIR])]


async def test_the_next_attempt_finds_the_pair() -> None:
    """The attempt after a killed one is given what that one could not store."""
    made = environment(msgspec.to_builtins(JobResult()), msgspec.to_builtins([PAIR]))
    rows = DueRows()
    work = activities(refresh_due_tokens=rows)

    await made.run(work.refresh_due_tokens, PageInput())

    assert rows.found == [PAIR]


async def test_a_pair_of_another_shape_costs_no_other() -> None:
    """A pair of an unknown shape, from another version, is skipped; the others are kept."""
    odd = {"integration_id": "nobody"}
    made = environment(msgspec.to_builtins(JobResult()), [odd, *msgspec.to_builtins([PAIR])])
    rows = DueRows()
    work = activities(refresh_due_tokens=rows)

    await made.run(work.refresh_due_tokens, PageInput())

    assert rows.found == [PAIR]
