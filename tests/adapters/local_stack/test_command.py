import socket
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from adapters.local_stack import command
from adapters.local_stack.command import dev_command
from adapters.local_stack.configuration.config import FREE_PORTS, StackConfig, StackPorts


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


def config_of(monkeypatch: pytest.MonkeyPatch, *options: str, **environment: str) -> StackConfig:
    started: list[StackConfig] = []
    monkeypatch.setattr(command, "run_in_foreground", lambda config, _: started.append(config))
    assert CliRunner().invoke(dev_command, options, env=environment).exit_code == 0
    return started[0]


def test_a_chosen_port_is_required(monkeypatch: pytest.MonkeyPatch) -> None:
    """An option and a variable are choices; a default may be replaced."""
    config = config_of(monkeypatch, "--web-port", "9000", POSTGRES_PORT="54330")

    assert config.ports == StackPorts(web=9000, postgres=54330)
    assert config.required_ports == {"web", "postgres"}


def test_free_ports_leave_a_chosen_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """`--free-ports` is for the parts whose port is not chosen."""
    config = config_of(monkeypatch, "--free-ports", "--web-port", "9000")

    assert (config.ports.web, config.ports.sandbox) == (9000, FREE_PORTS.sandbox)
    assert config.required_ports == {"web"}


def test_a_chosen_port_in_use_is_one_sentence_and_leaves_nothing(tmp_path: Path) -> None:
    """The sentence names the remedy; no folder is made."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        home = tmp_path / "home"
        options = ["--home", str(home), "--free-ports", "--web-port", str(port)]
        ended = subprocess.run(
            [sys.executable, "-m", "adapters.cli", "dev", *options],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    assert ended.returncode == 1
    assert ended.stderr == (
        f"Error: port {port} cannot be used (Address already in use); stop the program that "
        "listens there, or choose another port with --web-port or WEB_PORT (0 takes a free one)\n"
    )
    assert not home.exists()
