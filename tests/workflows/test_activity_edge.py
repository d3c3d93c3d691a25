import pytest
from structlog.testing import capture_logs

from adapters.temporal import contract
from domain.errors import CalendlyThrottled
from tests.workflows.fakes import DueRows
from tests.workflows.running import Bench

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
    """An exception that is not ours is told by class and place, so that no data gets out."""
    bench.use_cases.refresh_due_tokens = DueRows(errors=[ValueError("visitor@example.com")])

    with capture_logs() as entries:
        await bench.run(contract.REFRESH_TOKENS)

    [failed] = [one for one in entries if one["event"] == "activity.failed"]
    assert failed["log_level"] == "error"
    assert failed["error_code"] == "unexpected"
    assert "visitor" not in repr(entries)
