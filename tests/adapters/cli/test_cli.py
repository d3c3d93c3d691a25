import subprocess
import sys
from collections.abc import Mapping
from importlib.metadata import version

import click
import pytest
from click.testing import CliRunner, Result

from adapters.cli import main
from adapters.commands.lazy import LazyCommand, LazyGroup, Spec
from domain.errors import StorageUnavailable
from tests.adapters.sound_environ import SECRETS, SOUND

BLANK: dict[str, str | None] = dict.fromkeys(SOUND)
OURS = (
    "web", "migrate", "doctor", "keys", "audit", "refresh", "invalidate", "reconcile", "webhooks",
    "erase-invitee", "erase-user", "erasures", "dev", "demo", "sandbox",
)  # fmt: skip


def run(*arguments: str, environ: Mapping[str, str] | None = None) -> Result:
    """Run the command line in this process, in an environment without any of our variables."""
    return CliRunner().invoke(main, arguments, env={**BLANK, **(environ or {})})


def start(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command line as a process of its own, in an empty environment."""
    return subprocess.run(
        [sys.executable, "-m", "adapters.cli", *arguments],
        capture_output=True,
        text=True,
        env={"PATH": "/usr/bin:/bin"},
        timeout=60,
        check=False,
    )


def test_help_lists_every_command_with_what_it_does() -> None:
    """`slotkeeper --help` names each command, those of entry points included."""
    shown = run("--help")

    commands = shown.output.partition("Commands:")[2]
    listed = [line.split()[0] for line in commands.splitlines() if line[:3].strip()]
    assert shown.exit_code == 0
    assert sorted(listed) == sorted([*OURS, "worker", "schedules"])
    assert all(line.split()[1:] for line in commands.splitlines() if line.strip())


@pytest.mark.parametrize("command", [*OURS, "worker", "schedules"])
def test_every_command_can_be_called(command: str) -> None:
    """Each listed command exists where the list says and explains itself."""
    found = main.commands[command]
    assert isinstance(found, LazyCommand)

    assert isinstance(found.load(), click.Command)


def test_the_version_is_the_package_s() -> None:
    """`slotkeeper --version` is the installed version."""
    assert run("--version").output == f"slotkeeper {version('slotkeeper')}\n"


def test_it_runs_as_a_process_and_imports_no_workflow_for_help() -> None:
    """The program starts without importing what the called command does not need."""
    code = (
        "import sys; from adapters.cli import main; main(['--help'], standalone_mode=False);"
        "print([each for each in ('workflows', 'temporalio', 'litestar', 'asyncpg', 'uvicorn')"
        " if each in sys.modules])"
    )

    shown = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )

    assert shown.stdout.splitlines()[-1] == "[]"
    assert start("--help").stdout.startswith("Usage: slotkeeper [OPTIONS] COMMAND")


def test_a_missing_variable_ends_the_program_with_one_message() -> None:
    """Without its settings the web process says all that is missing and exits with 2."""
    ended = start("web")

    assert ended.returncode == 2
    assert ended.stdout == ""
    assert ended.stderr.startswith("Error: The settings have 7 faults; nothing was started.\n")
    assert "DATABASE_URL is missing" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    "command", [["migrate"], ["keys", "list"], ["keys", "create", "--name=x"]]
)
def test_a_command_asks_only_for_what_it_needs(command: list[str]) -> None:
    """Commands that touch only the database name only its variable."""
    ended = run(*command)

    assert ended.exit_code == 2
    assert "have 1 fault;" in ended.output
    assert "DATABASE_URL is missing" in ended.output


def test_faults_quote_no_secret() -> None:
    """A start that fails for one variable reveals no other."""
    ended = run("web", environ={**SOUND, "LOG_LEVEL": "loud", "CRON_SECRET": "hunter2"})

    assert ended.exit_code == 2
    assert "LOG_LEVEL is 'loud'" in ended.output
    assert not [each for each in (*SECRETS.values(), "hunter2") if each in ended.output]


def test_a_database_that_is_down_is_one_message() -> None:
    """An expected error is its code and message, with exit status 1 and no traceback."""
    ended = run("migrate", environ={"DATABASE_URL": "postgresql://u:hunter2@127.0.0.1:1/x"})

    assert ended.exit_code == 1
    assert ended.output.startswith("Error (storage_unavailable): The database is not available")
    assert ended.output.count("\n") == 1
    assert "hunter2" not in ended.output


def test_doctor_exits_with_1_when_anything_is_wrong() -> None:
    """A script can ask the doctor."""
    ended = run("doctor", environ={"TEMPORAL_ADDRESS": "127.0.0.1:1"})

    assert ended.exit_code == 1
    assert "DATABASE_URL is missing" in ended.output


def test_a_key_s_name_is_checked_before_anything_connects() -> None:
    """A blank or endless name is refused as a mistake on the command line."""
    environ = {"DATABASE_URL": "postgresql://u@127.0.0.1:1/x"}

    for name in (" ", "n" * 101):
        ended = run("keys", "create", "--name", name, environ=environ)
        assert ended.exit_code == 2
        assert "must have 1 to 100 characters" in ended.output


def test_an_unknown_command_is_refused() -> None:
    """A mistyped command names itself."""
    ended = run("wbe")

    assert ended.exit_code == 2
    assert "No such command 'wbe'" in ended.output


def test_a_command_that_cannot_be_imported_fails_only_itself() -> None:
    """A broken command does not keep the others from being listed or called."""
    specs = {
        "broken": Spec("no.such.module:command", "Broken."),
        "fine": Spec(f"{__name__}:x", ""),
    }
    group = LazyGroup("group", specs=specs, summaries={})

    shown = CliRunner().invoke(group, ["--help"])
    broken = CliRunner().invoke(group, ["broken"])

    assert shown.exit_code == 0
    assert "Broken." in shown.output
    assert isinstance(broken.exception, ModuleNotFoundError)


def test_errors_of_commands_from_entry_points_are_messages_too() -> None:
    """An error that a command raises under our group never becomes a traceback."""

    @click.command("failing")
    def failing() -> None:
        raise StorageUnavailable("PostgreSQL cannot be reached.")

    group = type(main)("group", specs={}, summaries={})
    group.add_command(failing)

    ended = CliRunner().invoke(group, ["failing"])

    assert (ended.exit_code, ended.output) == (
        1,
        "Error (storage_unavailable): PostgreSQL cannot be reached.\n",
    )
