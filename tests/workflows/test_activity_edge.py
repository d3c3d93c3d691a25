from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs
from temporalio import activity
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput

from adapters.temporal import contract
from application.resilience.priority import is_background
from domain.backoff import RetryPolicy
from domain.errors import CalendlyThrottled, CalendlyUnavailable
from domain.retries import RetryTable
from tests.workflows.fakes import DueRows
from tests.workflows.running import Bench
from workflows.activity_edge import ActivityEdge

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_each_attempt_is_logged_by_how_it_ended(bench: Bench) -> None:
    """The log tells a failed attempt's code and a good one's counts."""
    bench.use_cases.refresh_due_tokens = DueRows(
        rows=["refreshed"], errors=[CalendlyThrottled("Slow down.", retry_after=1)]
    )

    with capture_logs() as entries:
        await bench.run(contract.REFRESH_TOKENS)

    failed, done = (one for one in entries if one["event"].startswith("activity."))
    assert (failed["event"], failed["log_level"]) == ("activity.failed", "warning")
    assert failed["error_code"] == "calendly_throttled"
    assert failed["retried"]
    assert done["event"] == "activity.done"
    assert done["result"] == {"examined": 1, "done": {"refreshed": 1}}


async def test_a_bug_is_logged_as_an_error_without_its_text(bench: Bench) -> None:
    """An exception that is not ours is logged by class and place, so that no data gets out."""
    bench.use_cases.refresh_due_tokens = DueRows(errors=[ValueError("visitor@example.com")])

    with capture_logs() as entries:
        await bench.run(contract.REFRESH_TOKENS)

    [failed] = [one for one in entries if one["event"] == "activity.failed"]
    assert failed["log_level"] == "error"
    assert failed["error_code"] == "unexpected"
    assert "visitor" not in repr(entries)


class Innermost(ActivityInboundInterceptor):
    """Where a chain of interceptors ends: runs the activity itself."""

    def __init__(self, run: Callable[[], Any]) -> None:
        self._run = run

    async def execute_activity(self, _: ExecuteActivityInput) -> Any:
        """Run it."""
        return self._run()


async def passing(edge: ActivityEdge, run: Callable[[], Any], attempt: int = 1) -> Any:
    """Run an activity's attempt through the edge."""
    environment = ActivityEnvironment()
    environment.info = replace(environment.info, attempt=attempt)
    inbound = edge.intercept_activity(Innermost(run))

    @activity.defn
    async def step() -> Any:
        return await inbound.execute_activity(ExecuteActivityInput(step, (), None, {}))

    return await environment.run(step)


async def test_the_next_attempt_comes_when_the_retry_table_says() -> None:
    """An activity's delay follows its own attempts, spread by chance, as configured."""
    table = RetryTable(calendly=RetryPolicy(base=timedelta(seconds=4), cap=timedelta(hours=1)))

    def down() -> None:
        raise CalendlyUnavailable("503.")

    with pytest.raises(ApplicationError) as caught:
        await passing(ActivityEdge(table, chance=lambda: 0.25), down, attempt=3)

    assert caught.value.next_retry_delay == timedelta(seconds=4)


async def test_all_that_an_activity_does_is_background_work() -> None:
    """Jobs leave a share of each user's limit to what users ask for themselves."""
    assert await passing(ActivityEdge(), is_background) is True
    assert not is_background()
