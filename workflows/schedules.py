"""`slotkeeper schedules`: apply the table of schedules, show their state, run one now.

Needs only Temporal's address and namespace, so that a deploy step can run it alone.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final, TypeVar

import click
from temporalio.client import Client

from adapters.settings import load_temporal_settings
from adapters.temporal.connect import connect, settle
from adapters.temporal.contract import TASK_QUEUE
from adapters.temporal.reaching import reaching
from workflows.schedule_report import as_lines, read_schedules
from workflows.schedule_sync import apply_schedules
from workflows.schedule_table import SCHEDULES

Result = TypeVar("Result")

_TIMEOUT: Final = timedelta(seconds=30)


@click.group("schedules")
def schedules_command() -> None:
    """Create, update, show and trigger the Temporal schedules."""


@schedules_command.command("apply")
def apply_command() -> None:
    """Make Temporal's schedules those of this version; a pause stays as it is."""
    for line in _run(lambda client: apply_schedules(client, TASK_QUEUE)):
        click.echo(line)


@schedules_command.command("list")
def list_command() -> None:
    """Show each schedule: when it runs, whether it is paused, its next and last run."""
    for line in as_lines(_run(read_schedules)):
        click.echo(line)


@schedules_command.command("trigger")
@click.argument("schedule", type=click.Choice([one.id for one in SCHEDULES]))
def trigger_command(schedule: str) -> None:
    """Run a schedule's job now, also a paused one's; while one runs, nothing is started."""
    _run(lambda client: client.get_schedule_handle(schedule).trigger())
    click.echo(f"triggered {schedule}")


def _run(use: Callable[[Client], Awaitable[Result]]) -> Result:
    """Connect by the environment. Raises SettingsError and JobsUnavailable."""
    return asyncio.run(_with_client(use))


async def _with_client(use: Callable[[Client], Awaitable[Result]]) -> Result:
    settings = load_temporal_settings(os.environ)
    try:
        client = await connect(settings.temporal_address, settings.temporal_namespace)
        async with reaching(client, _TIMEOUT):
            return await use(client)
    finally:
        await settle()
