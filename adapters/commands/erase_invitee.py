"""`slotkeeper erase-invitee`: forgets one person, by e-mail, in all that is stored.

The address is taken and passed on, and never printed: what is printed may be kept in a terminal's
history or a job's log.
"""

import asyncio
import os
import sys

import click

from adapters.bootstrap import open_services
from adapters.settings import load_settings
from application.ports.storage.erasures import Erasure

BY = "cli"
STDIN = "-"


@click.command("erase-invitee")
@click.argument("email")
def erase_invitee_command(email: str) -> None:
    """Erase the invitee with this e-mail address; "-" reads it from the standard input.

    Bookings keep their time and status, so that availability stays right. May be repeated.
    """
    if email == STDIN:
        email = sys.stdin.readline()
    done = asyncio.run(_erase(email))
    click.echo(f"Erasure {done.id}.")
    click.echo(f"Bookings made anonymous: {done.bookings}.")
    click.echo(f"Stored webhooks rewritten: {done.webhook_events}.")
    if done.unreadable:
        click.echo(
            f"Stored webhooks that do not open: {done.unreadable}. Put their encryption key back"
            " and repeat this; slotkeeper doctor names it.",
            err=True,
        )
        raise click.exceptions.Exit(1)


async def _erase(email: str) -> Erasure:
    async with open_services(load_settings(os.environ)) as services:
        return await services.erase_invitee(email, BY)
