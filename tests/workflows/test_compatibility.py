import asyncio
import json
from datetime import timedelta
from pathlib import Path
from typing import get_type_hints

import msgspec
import pytest
from temporalio import workflow
from temporalio.api.common.v1 import Payload
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer
from temporalio.workflow import NondeterminismError

from adapters.temporal import contract
from adapters.temporal.contract import IntegrationInput
from adapters.temporal.data_converter import DATA_CONVERTER
from tests.workflows.fakes import FakeUseCases
from tests.workflows.fingerprint import GOLDEN, calls, fingerprints
from tests.workflows.record import HISTORIES
from tests.workflows.scenarios import SCENARIOS
from workflows.activities.pages import PageActivities
from workflows.assembly import workflow_runner
from workflows.catalog import WORKFLOWS, activities_of

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


def recorded_inputs() -> list[tuple[str, str, list[Payload]]]:
    """Return the history, the activity's name and its input, for each recorded activity."""
    return [
        (path.stem, scheduled.activity_type.name, list(scheduled.input.payloads))
        for path in RECORDED
        for event in history(path).events
        if event.HasField("activity_task_scheduled_event_attributes")
        for scheduled in [event.activity_task_scheduled_event_attributes]
    ]


async def undecodable(inputs: list[tuple[str, str, list[Payload]]]) -> list[str]:
    """Return what of these inputs does not fit the activities' present signatures."""
    types = {
        getattr(each, "__temporal_activity_definition").name: [
            hint for name, hint in get_type_hints(each).items() if name != "return"
        ]
        for each in activities_of(FakeUseCases().services, page_size=1)
    }
    found = []
    for recorded, name, payloads in inputs:
        if len(payloads) != len(types[name]):
            found.append(f"{recorded}: {name} takes {len(types[name])} values")
            continue
        try:
            await DATA_CONVERTER.decode(payloads, types[name])
        except RuntimeError as error:
            found.append(f"{recorded}: {name}: {error.__cause__ or error}")
    return found


async def test_recorded_inputs_fit_the_present_activities() -> None:
    """An activity that an earlier version scheduled gets its input, read by today's signature."""
    inputs = recorded_inputs()

    assert {name for _, name, _ in inputs} >= {"refresh_due_tokens", "ensure_subscription"}
    assert await undecodable(inputs) == []


async def test_a_new_required_field_does_not_fit_recorded_inputs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A required field that a page's input gains is found in every history with a page."""
    grown = msgspec.defstruct("PageInput", [("limit", int), ("cursor", str | None, None)])
    monkeypatch.setitem(PageActivities.refresh_due_tokens.__annotations__, "_page", grown)

    found = await undecodable(recorded_inputs())

    assert any("refresh_due_tokens" in each and "limit" in each for each in found)


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
