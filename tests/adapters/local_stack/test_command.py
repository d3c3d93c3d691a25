import pytest
from click.testing import CliRunner

from adapters.local_stack.command import dev_command


@pytest.mark.parametrize(
    ("option", "variable", "default"),
    [
        ("--web-port", "WEB_PORT", 8000),
        ("--sandbox-port", "SANDBOX_PORT", 8090),
        ("--temporal-port", "TEMPORAL_PORT", 7233),
        ("--temporal-ui-port", "TEMPORAL_UI_PORT", 8233),
        ("--postgres-port", "POSTGRES_PORT", 54329),
        ("--worker-metrics-port", "WORKER_METRICS_PORT", 9464),
    ],
)
def test_the_port_of_each_part_can_be_chosen(option: str, variable: str, default: int) -> None:
    """The help names an option, a variable and a default for the port of each part."""
    text = " ".join(CliRunner().invoke(dev_command, ["--help"]).output.split())

    assert option in text
    assert f"env var: {variable}; default: {default}" in text


def test_a_variable_that_is_no_port_is_refused() -> None:
    """A port that cannot be one is refused before anything starts."""
    result = CliRunner().invoke(dev_command, [], env={"WEB_PORT": "eighty"})

    assert result.exit_code == 2
    assert "'eighty' is not a valid integer" in result.output
