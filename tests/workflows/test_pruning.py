import pytest

from adapters.temporal import contract
from application.jobs.job_result import JobResult
from tests.workflows.fakes import CursorRows
from tests.workflows.running import Bench

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_pruning_goes_on_where_the_page_before_ended(bench: Bench) -> None:
    """The job deletes page after page, tenfold the size of others, and counts what is gone."""
    rows = CursorRows(rows=["webhook_events"] * 45)
    bench.use_cases.prune_webhooks = rows

    result = await bench.run(contract.PRUNE_WEBHOOKS, result_type=JobResult)

    assert result == JobResult(examined=45, done={"webhook_events": 45})
    assert rows.cursors == [None, "20", "40"]
