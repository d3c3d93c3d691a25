from click.testing import CliRunner

from adapters.temporal.contract import SCHEDULED
from domain.errors import JobsUnavailable
from workflows.catalog import WORKFLOWS
from workflows.schedule_table import SCHEDULES
from workflows.schedules import schedules_command


def test_every_schedule_starts_a_workflow_that_workers_know() -> None:
    """No schedule names a workflow that no worker runs."""
    known = {vars(workflow)["__temporal_workflow_definition"].name for workflow in WORKFLOWS}

    assert {one.workflow for one in SCHEDULES} <= known


def test_the_contract_lists_every_schedule() -> None:
    """Web and doctor, which do not import the table, expect the same schedules."""
    assert {one.id: one.workflow for one in SCHEDULES} == SCHEDULED


def test_the_commands_say_what_they_did(dev_server_address: str) -> None:
    """`schedules apply` prints a line a schedule, and `schedules list` shows them."""
    environ = {"TEMPORAL_ADDRESS": dev_server_address, "TEMPORAL_NAMESPACE": "default"}

    applied = CliRunner().invoke(schedules_command, ["apply"], env=environ)
    shown = CliRunner().invoke(schedules_command, ["list"], env=environ)

    assert applied.exit_code == 0, applied.output
    assert {one.id for one in SCHEDULES} <= {
        line.split()[1] for line in applied.output.splitlines()
    }
    assert shown.exit_code == 0, shown.output
    assert all(one.cron in shown.output and one.note in shown.output for one in SCHEDULES)
    assert max(map(len, shown.output.splitlines())) <= 80
    assert "missing" not in shown.output


def test_a_schedule_can_be_triggered(dev_server_address: str) -> None:
    """`schedules trigger` starts a job now, and knows only the schedules of the table."""
    environ = {"TEMPORAL_ADDRESS": dev_server_address, "TEMPORAL_NAMESPACE": "default"}
    CliRunner().invoke(schedules_command, ["apply"], env=environ)
    arguments = ["trigger", "heal-calendly-webhooks"]

    triggered = CliRunner().invoke(schedules_command, arguments, env=environ)
    unknown = CliRunner().invoke(schedules_command, ["trigger", "nothing"], env=environ)

    assert triggered.output == "triggered heal-calendly-webhooks\n"
    assert unknown.exit_code == 2


def test_without_temporal_the_command_fails_in_a_sentence(closed_address: str) -> None:
    """An unreachable Temporal is an expected error that names the variable to check."""
    result = CliRunner().invoke(
        schedules_command, ["apply"], env={"TEMPORAL_ADDRESS": closed_address}
    )

    assert isinstance(result.exception, JobsUnavailable)
    assert "TEMPORAL_ADDRESS" in result.exception.message
