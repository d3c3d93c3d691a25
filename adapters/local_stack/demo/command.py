"""The command: start everything on free ports, walk the journey, stop."""

import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

import click
from rich.console import Console

from adapters.local_stack.demo.journey import walk
from adapters.local_stack.demo.stage import open_stage
from adapters.local_stack.errors import LocalStackError


@click.command("demo")
@click.option(
    "--home",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder to keep the stack's data and logs in; a temporary one without it.",
)
def demo_command(home: Path | None) -> None:
    """Start everything on free ports, walk the journey over HTTP, stop.

    Exits 0 only if every step passed.
    """
    console = Console(highlight=False, soft_wrap=True)
    console.print("Starting PostgreSQL, Temporal, the sandbox Calendly, web and worker …")
    with ExitStack() as opened:
        if home is None:
            folder = opened.enter_context(tempfile.TemporaryDirectory(prefix="slotkeeper-demo-"))
            home = Path(folder)
        try:
            stage = opened.enter_context(open_stage(home))
        except LocalStackError as error:
            raise click.ClickException(str(error)) from error
        passed = walk(console, stage)
    console.print("Everything is stopped.")
    sys.exit(0 if passed else 1)
