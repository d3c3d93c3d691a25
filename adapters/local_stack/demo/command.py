"""The command: start everything on free ports, walk, stop."""

import sys
import tempfile
from pathlib import Path

import click
from rich.console import Console

from adapters.local_stack.configuration.config import FREE_PORTS, StackConfig
from adapters.local_stack.demo.journey import STEPS, walk
from adapters.local_stack.demo.stage import Stage
from adapters.local_stack.errors import LocalStackError
from adapters.local_stack.stack import LocalStack

# Longer than a token lives, so that the refresh job finds the new token due at once.
TUNED = {"REFRESH_HORIZON": "3h"}


@click.command("demo")
@click.option(
    "--home",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder to keep the stack's data and logs in; a temporary one without it.",
)
def demo_command(home: Path | None) -> None:
    """Start everything on free ports, walk the journey over HTTP, stop.

    Exits 0 only if every step saw what it says.
    """
    if home is not None:
        ok = run_demo(home)
    else:
        with tempfile.TemporaryDirectory(prefix="slotkeeper-demo-") as folder:
            ok = run_demo(Path(folder))
    sys.exit(0 if ok else 1)


def run_demo(home: Path) -> bool:
    """Walk the journey on a stack of its own, telling what it saw; False when a step failed."""
    console = Console(highlight=False, soft_wrap=True)
    stack = LocalStack(StackConfig(home=home, ports=FREE_PORTS, settings=TUNED))
    console.print("Starting PostgreSQL, Temporal, the sandbox Calendly, web and worker …")
    try:
        addresses = stack.start()
    except LocalStackError as error:
        raise click.ClickException(str(error)) from error
    try:
        return _tell(console, Stage(addresses))
    finally:
        stack.stop()
        console.print("Everything is stopped.")


def _tell(console: Console, stage: Stage) -> bool:
    try:
        for number, seen in enumerate(walk(stage), start=1):
            mark = "[green]✓[/]" if seen.ok else "[red]✗[/]"
            console.print(f"{mark} {number:2}/{len(STEPS)} [bold]{seen.title}[/]")
            console.print(
                f"        {seen.detail}", markup=False, style="dim" if seen.ok else "red"
            )
            if not seen.ok:
                return False
    finally:
        stage.close()
    console.print(f"\nAll {len(STEPS)} steps saw what they say.")
    return True
