import asyncio
import json
from datetime import timedelta
from pathlib import Path

import pytest
from temporalio import workflow
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer
from temporalio.workflow import NondeterminismError

from adapters.temporal import contract
from adapters.temporal.contract import IntegrationInput
from adapters.temporal.data_converter import DATA_CONVERTER
from tests.workflows.fingerprint import GOLDEN, calls, fingerprints
from tests.workflows.record import HISTORIES
from tests.workflows.scenarios import SCENARIOS
from workflows.assembly import workflow_runner
from workflows.catalog import WORKFLOWS

RECORDED = sorted(HISTORIES.glob("*.json"))

ADVICE = """
The commands that a workflow issues have changed:
{changes}
Runs that are open while this is deployed replay their histories against the new code and stop
dead where the commands differ. So:
 1. Keep the old path behind `if workflow.patched("<what-changed>"): ... else: ...`, unless the
    workflow was never released.
 2. Keep the old history: copy histories/<workflow>.json to histories/<workflow>@<version>.json.
 3. Record the new one: python -m tests.workflows.record <workflow>
 4. Accept the new commands: python -m tests.workflows.fingerprint
"""


def history(path: Path) -> WorkflowHistory:
    """Return a recorded history."""
    return WorkflowHistory.from_json(f"recorded/{path.stem}", path.read_text())


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
async def test_recorded_histories_replay(path: Path) -> None:
    """Today's workflows go on with runs that an earlier version began."""
    replayer = Replayer(
        workflows=WORKFLOWS, data_converter=DATA_CONVERTER, workflow_runner=workflow_runner()
    )

    result = await replayer.replay_workflow(history(path), raise_on_replay_failure=False)

    assert result.replay_failure is None


def test_every_workflow_has_a_recorded_history() -> None:
    """No workflow escapes the replay test."""
    recorded = {
        one["workflowExecutionStartedEventAttributes"]["workflowType"]["name"]
        for path in RECORDED
        for one in json.loads(path.read_text())["events"][:1]
    }

    assert recorded == {vars(one)["__temporal_workflow_definition"].name for one in WORKFLOWS}
    assert set(SCENARIOS) <= {path.stem for path in RECORDED}


@workflow.defn(name=contract.DISCONNECT, sandboxed=False)
class Incompatible:
    """A disconnection that waits first, as no recorded one did."""

    @workflow.run
    async def run(self, of: IntegrationInput) -> str:
        """Wait."""
        await asyncio.sleep(timedelta(hours=1).total_seconds())
        return str(of.integration_id)


async def test_a_changed_workflow_does_not_replay() -> None:
    """The replay notices commands that the recorded run did not issue."""
    replayer = Replayer(workflows=[Incompatible], data_converter=DATA_CONVERTER)

    with pytest.raises(NondeterminismError):
        await replayer.replay_workflow(history(HISTORIES / "disconnect_integration.json"))


def test_the_commands_of_workflows_change_only_on_purpose() -> None:
    """A change of a workflow's commands is met with advice before it meets open runs."""
    golden, now = json.loads(GOLDEN.read_text()), fingerprints()

    changed = [name for name in {*golden, *now} if golden.get(name) != now.get(name)]

    lines = (f"  {name}: {golden.get(name)} -> {now.get(name)}" for name in sorted(changed))
    assert not changed, ADVICE.format(changes="\n".join(lines))


def test_a_fingerprint_tells_order_and_options() -> None:
    """Swapping two activities, or giving one other options, changes a fingerprint."""
    one = "async def run():\n await workflow.start_activity(a, x, **o.A)\n workflow.sleep(1)\n"
    other = "async def run():\n workflow.sleep(1)\n await workflow.start_activity(a, x, **o.B)\n"

    assert calls(one) == ["start_activity a o.A", "sleep 1"]
    assert calls(other) == ["sleep 1", "start_activity a o.B"]
