from datetime import timedelta

import pytest
from temporalio.client import WorkflowFailureError
from temporalio.exceptions import ActivityError, ApplicationError

from adapters.temporal import contract
from application.jobs.job_result import JobResult
from domain.errors import (
    CalendlyThrottled,
    ClientRefused,
    StorageUnavailable,
)
from tests.workflows.fakes import CursorRows, DueRows
from tests.workflows.running import Bench
from workflows.messages import PagingState

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.mark.parametrize(
    ("workflow", "queue"),
    [
        (contract.REFRESH_TOKENS, "refresh_due_tokens"),
        (contract.SYNC_AVAILABILITY, "sync_due_availability"),
        (contract.APPLY_WEBHOOKS, "apply_webhooks"),
    ],
)
async def test_a_job_works_page_after_page_until_its_queue_is_empty(
    bench: Bench, workflow: str, queue: str
) -> None:
    """The result of a job counts every row of every page, by result and by error code."""
    rows = DueRows(rows=["fine", "CALENDLY_UNAVAILABLE", "fine", "fine", "other"])
    setattr(bench.use_cases, queue, rows)

    result = await bench.run(workflow, result_type=JobResult)

    assert result == JobResult(
        examined=5, done={"fine": 3, "other": 1}, failed={"calendly_unavailable": 1}
    )
    assert rows.calls == 3


@pytest.mark.parametrize(
    ("workflow", "rows"),
    [
        (contract.HEAL_WEBHOOKS, "heal_subscriptions"),
        (contract.RECONCILE_BOOKINGS, "reconcile_all"),
        (contract.FILL_GAPS, "fill_gaps"),
    ],
)
async def test_a_sweep_hands_each_page_the_cursor_of_the_one_before(
    bench: Bench, workflow: str, rows: str
) -> None:
    """A sweep walks through all rows, each page beginning where the last one ended."""
    walked = CursorRows(rows=["kept"] * 5)
    setattr(bench.use_cases, rows, walked)

    result = await bench.run(workflow, result_type=JobResult)

    assert result == JobResult(examined=5, done={"kept": 5})
    assert walked.cursors == [None, "2", "4"]


async def test_a_long_sweep_continues_as_new_with_its_counts_and_cursor(bench: Bench) -> None:
    """A sweep of many pages becomes several runs, whose last one returns the whole sum."""
    bench.use_cases.heal_subscriptions = CursorRows(rows=["kept"] * 9)

    async with bench.working():
        handle = await bench.start(contract.HEAL_WEBHOOKS, PagingState(pages_per_run=2))
        result = await handle.result()
        last = await handle.describe()

    assert result["done"] == {"kept": 9}
    assert bench.use_cases.heal_subscriptions.cursors == [None, "2", "4", "6", "8"]
    assert last.run_id != handle.result_run_id


async def test_a_page_that_meets_a_passing_failure_is_tried_again(bench: Bench) -> None:
    """PostgreSQL being away for a moment costs a retry, not the run."""
    bench.use_cases.apply_webhooks = DueRows(
        rows=["applied"], errors=[StorageUnavailable("PostgreSQL is away.")]
    )

    result = await bench.run(contract.APPLY_WEBHOOKS, result_type=JobResult)

    assert result.done == {"applied": 1}
    assert bench.use_cases.apply_webhooks.calls == 2


async def test_a_retry_waits_as_long_as_it_was_asked_to(bench: Bench) -> None:
    """The wait that a throttled page was given is the delay before its next attempt."""
    bench.use_cases.refresh_due_tokens = DueRows(
        rows=["refreshed"], errors=[CalendlyThrottled("Slow down.", retry_after=600)]
    )

    async with bench.working():
        handle = await bench.start(contract.REFRESH_TOKENS)
        await handle.result()
        description = await handle.describe()

    assert description.close_time is not None
    elapsed = description.close_time - description.start_time
    assert timedelta(seconds=600) <= elapsed < timedelta(seconds=660)


async def test_a_page_that_needs_a_person_fails_the_run_at_once(bench: Bench) -> None:
    """A failure that waiting cannot cure fails the workflow with the error's code, untried again."""
    refresh = DueRows(errors=[ClientRefused("Check CALENDLY_CLIENT_SECRET.")])
    bench.use_cases.refresh_due_tokens = refresh

    with pytest.raises(WorkflowFailureError) as caught:
        await bench.run(contract.REFRESH_TOKENS)

    assert isinstance(caught.value.cause, ActivityError)
    assert isinstance(caught.value.cause.cause, ApplicationError)
    assert caught.value.cause.cause.type == "client_refused"
    assert refresh.calls == 1


async def test_a_failure_that_lasts_ends_the_run_before_it_blocks_the_schedule(
    bench: Bench,
) -> None:
    """A job whose pages keep failing fails within the hour, so the next tick may begin again."""
    bench.use_cases.sync_due_availability = DueRows(
        errors=[StorageUnavailable("PostgreSQL is away.")] * 1000
    )

    async with bench.working():
        handle = await bench.start(contract.SYNC_AVAILABILITY)
        with pytest.raises(WorkflowFailureError):
            await handle.result()
        description = await handle.describe()

    assert description.close_time is not None
    assert description.close_time - description.start_time < timedelta(hours=1)


async def test_a_refresh_page_outlasts_a_long_outage(bench: Bench) -> None:
    """A page whose heartbeat may hold new tokens is tried again until PostgreSQL is back."""
    bench.use_cases.refresh_due_tokens = DueRows(
        rows=["refreshed"], errors=[StorageUnavailable("PostgreSQL is away.")] * 200
    )

    async with bench.working():
        handle = await bench.start(contract.REFRESH_TOKENS)
        result = await handle.result()
        description = await handle.describe()

    assert result == {"examined": 1, "done": {"refreshed": 1}}
    assert description.close_time is not None
    assert description.close_time - description.start_time > timedelta(hours=1)


async def test_an_unexpected_error_reaches_the_history_without_its_text(bench: Bench) -> None:
    """Of an exception that is not ours the history tells the class and the place, not the text."""
    bench.use_cases.apply_webhooks = DueRows(errors=[KeyError("visitor@example.com")] * 1000)

    async with bench.working():
        handle = await bench.start(contract.APPLY_WEBHOOKS)
        with pytest.raises(WorkflowFailureError):
            await handle.result()
        history = (await handle.fetch_history()).to_json()

    assert "visitor@example.com" not in history
    assert "KeyError at workflows/fakes.py" in history


async def test_the_details_say_in_a_line_what_a_job_did(bench: Bench) -> None:
    """The Temporal UI shows a running job's counts."""
    bench.use_cases.refresh_due_tokens = DueRows(rows=["refreshed", "GRANT_REFUSED", "refreshed"])

    async with bench.working():
        handle = await bench.start(contract.REFRESH_TOKENS)
        await handle.result()
        metadata = await handle.query("__temporal_workflow_metadata")

    expected = "**2 pages, 3 examined** · refreshed 2 · failed: grant_refused 1"
    assert metadata.current_details == expected


async def test_a_refresh_run_waits_for_postponed_rows(bench: Bench) -> None:
    """An open breaker makes the run wait, visibly, and then go on from the same place."""
    held = JobResult(examined=1, done={"fine": 1}, held_by="circuit_open", resume_in=600)
    bench.use_cases.refresh_due_tokens = DueRows(rows=["fine"], waits=[held, held])

    async with bench.working():
        handle = await bench.start(contract.REFRESH_TOKENS)
        result = await handle.result()
        description = await handle.describe()

    assert result == {"examined": 3, "done": {"fine": 3}}
    assert description.close_time is not None
    assert description.close_time - description.start_time >= timedelta(minutes=20)


async def test_a_refresh_run_leaves_the_rest_to_the_next_one(bench: Bench) -> None:
    """A run does not wait past the next tick of its schedule: that one takes up the rest."""
    held = JobResult(held_by="circuit_open", resume_in=1400)
    bench.use_cases.refresh_due_tokens = DueRows(waits=[held] * 10)

    async with bench.working():
        handle = await bench.start(contract.REFRESH_TOKENS)
        result = await handle.result()
        description = await handle.describe()

    assert result == {"examined": 0, "held_by": "circuit_open", "resume_in": 1400}
    assert bench.use_cases.refresh_due_tokens.calls == 3
    assert description.close_time is not None
    assert description.close_time - description.start_time < timedelta(hours=1)


async def test_a_waiting_run_that_continues_as_new_keeps_its_end(bench: Bench) -> None:
    """All runs of a sweep together wait no longer than one may."""
    held = JobResult(held_by="put_off", resume_in=900)
    bench.use_cases.refresh_due_tokens = DueRows(waits=[held] * 10)

    result = await bench.run(
        contract.REFRESH_TOKENS, PagingState(pages_per_run=1), result_type=JobResult
    )

    assert result.held_by == "put_off"
    assert bench.use_cases.refresh_due_tokens.calls == 4


async def test_a_run_that_was_asked_for_does_not_wait(bench: Bench) -> None:
    """An operator who starts the refresh by hand learns immediately which rows wait."""
    held = JobResult(held_by="circuit_open", resume_in=60)
    bench.use_cases.refresh_due_tokens = DueRows(waits=[held])

    async with bench.working():
        result = await bench.client.execute_workflow(
            contract.REFRESH_TOKENS,
            id=contract.REFRESH_TOKENS_ID,
            task_queue=bench.task_queue,
            result_type=JobResult,
        )

    assert result == held


async def test_other_sweeps_do_not_wait(bench: Bench) -> None:
    """Only the refresh waits for postponed rows."""
    held = JobResult(examined=1, done={"fine": 1}, held_by="put_off", resume_in=5)
    bench.use_cases.sync_due_availability = DueRows(waits=[held], rows=["fine"])

    result = await bench.run(contract.SYNC_AVAILABILITY, result_type=JobResult)

    assert result == held
