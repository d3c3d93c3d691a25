"""`slotkeeper dev` and `slotkeeper sandbox`: the local stack from a command line.

The command line imports this module only when one of them is called. It comes with the
distribution `slotkeeper-sandbox`, the servers with its extra `local`; production has neither.
"""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from adapters.local_stack.configuration.config import StackConfig, StackPorts
from adapters.local_stack.errors import LocalStackError
from adapters.local_stack.foreground import LABELS, run_in_foreground

_PORTS = StackPorts()


def _port_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add a `--…-port` for each part, also read from the variable of that name."""
    for part, label in reversed(LABELS.items()):
        command = click.option(
            f"--{part.replace('_', '-')}-port",
            part,
            type=click.IntRange(0, 65_535),
            default=getattr(_PORTS, part),
            envvar=f"{part.upper()}_PORT",
            show_default=True,
            show_envvar=True,
            help=f"Port for {label}; 0 takes a free one.",
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
@click.option("--free-ports", is_flag=True, help="Use free ports unless you choose them.")
@click.option("--stop-with-parent", is_flag=True, help="Stop when the starting process ends.")
@_port_options
@click.pass_context
def dev_command(
    ctx: click.Context, /, home: Path, free_ports: bool, stop_with_parent: bool, **ports: int
) -> None:
    """Run everything on this machine: service, sandbox Calendly, Temporal, PostgreSQL.

    If a default port is in use, another one is chosen and printed. If a port that you chose is in
    use, nothing is started.
    """
    chosen = {
        part for part in ports if ctx.get_parameter_source(part) is not ParameterSource.DEFAULT
    }
    if free_ports:
        ports = {part: number if part in chosen else 0 for part, number in ports.items()}
    parent = os.getppid() if stop_with_parent else None
    config = StackConfig(home=home, ports=StackPorts(**ports), required_ports=chosen)
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
