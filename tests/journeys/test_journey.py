from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner

from adapters.local_stack.demo import command, journey
from adapters.local_stack.demo.journey import STEPS, Step
from adapters.local_stack.demo.stage import Stage, StepFailed
from tests.adapters.local_stack.test_printed_addresses import ADDRESSES
from tests.journeys.conftest import Walked


def test_every_step_of_the_journey_sees_what_it_says(walked: Walked) -> None:
    """A new user gets from the first start to a disconnected account over real HTTP."""
    steps = [line for line in walked.printed if line.startswith(("✓", "✗"))]
    last = walked.printed[-6:]

    assert walked.passed, last
    assert steps == [
        f"✓ {number:2}/{len(STEPS)} {step.title}" for number, step in enumerate(STEPS, start=1)
    ]
    assert last[-1] == f"All {len(STEPS)} steps passed."


def test_the_demo_ends_at_the_first_step_that_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command prints what the step saw instead, stops everything, and exits 1."""
    stage = Stage(ADDRESSES)

    @contextmanager
    def opened(_: Path) -> Iterator[Stage]:
        yield stage
        stage.close()

    def fail(_: Stage) -> str:
        raise StepFailed("it is [different]")

    monkeypatch.setattr(command, "open_stage", opened)
    monkeypatch.setattr(journey, "STEPS", (Step("It works", fail), STEPS[0]))
    ran = CliRunner().invoke(command.demo_command, ["--home", str(tmp_path)])

    assert ran.exit_code == 1
    assert ran.output.splitlines()[1:] == [
        "✗  1/2 It works",
        "        StepFailed: it is [different]",
        "Everything is stopped.",
    ]
    assert stage.api.is_closed
