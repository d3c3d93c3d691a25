"""`slotkeeper dev` and `slotkeeper sandbox`: the local stack from a command line.

Imported by the command line only when one of them is called: what they start comes with the
extra `local`, which a production install does not have.
"""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from adapters.local_stack.configuration.config import FREE_PORTS, StackConfig, StackPorts
from adapters.local_stack.errors import LocalStackError
from adapters.local_stack.foreground import run_in_foreground

_PORTS = StackPorts()


def port_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """A `--…-port` for each part, also read from the variable of that name."""
    for option, part, what in reversed(
        (
            ("--web-port", "web", "the web page and API"),
            ("--sandbox-port", "sandbox", "the sandbox Calendly"),
            ("--temporal-port", "temporal", "Temporal"),
            ("--temporal-ui-port", "temporal_ui", "the Temporal UI"),
            ("--postgres-port", "postgres", "PostgreSQL"),
            ("--worker-metrics-port", "worker_metrics", "the worker's metrics"),
        )
    ):
        command = click.option(
            option,
            part,
            type=click.IntRange(0, 65_535),
            default=getattr(_PORTS, part),
            envvar=option.removeprefix("--").replace("-", "_").upper(),
            show_default=True,
            show_envvar=True,
            help=f"Port of {what}; a taken one is replaced, 0 takes a free one.",
        )(command)
    return command


@click.command("dev")
@click.option(
    "--home",
    type=click.Path(file_okay=False, path_type=Path),
    default=StackConfig().home,
    envvar="SLOTKEEPER_HOME",
    show_default=True,
    show_envvar=True,
    help="Folder that holds everything of the stack; kept between starts.",
)
@click.option("--free-ports", is_flag=True, help="Take free ports for everything.")
@click.option("--stop-with-parent", is_flag=True, help="Stop when the starting process ends.")
@port_options
def dev_command(home: Path, free_ports: bool, stop_with_parent: bool, **ports: int) -> None:
    """Run everything on this machine: service, sandbox Calendly, Temporal, PostgreSQL."""
    parent = os.getppid() if stop_with_parent else None
    config = StackConfig(home=home, ports=FREE_PORTS if free_ports else StackPorts(**ports))
    try:
        run_in_foreground(config, parent)
    except LocalStackError as error:
        raise click.ClickException(str(error)) from error


@click.command(
    "sandbox",
    add_help_option=False,
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def sandbox_command(arguments: tuple[str, ...]) -> None:
    """Run the sandbox Calendly alone; `slotkeeper sandbox --help` lists its options."""
    sys.stdout.flush()
    # Replaces this process, so that signals and the exit status are the sandbox's own.
    os.execv(sys.executable, [sys.executable, "-m", "sandbox", *arguments])  # noqa: S606
