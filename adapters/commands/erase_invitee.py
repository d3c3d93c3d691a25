"""`slotkeeper erase-invitee`: erases one person, by e-mail, from everything stored.

The command never prints the address: a terminal's history or a job's log may keep it.
"""

import sys

import click

from adapters.commands.actor import command_line_actor
from adapters.commands.with_services import with_services

STDIN = "-"


@click.command("erase-invitee")
@click.argument("email")
def erase_invitee_command(email: str) -> None:
    """Erase the invitee with this e-mail address; "-" reads it from the standard input.

    Bookings keep their time and status, so that availability stays right. May be repeated.
    """
    if email == STDIN:
        email = sys.stdin.readline()
    done = with_services(lambda services: services.erase_invitee(email, command_line_actor()))
    click.echo(f"Erasure {done.id}.")
    click.echo(f"Bookings made anonymous: {done.bookings}.")
    click.echo(f"Stored webhooks rewritten: {done.webhook_events}.")
    if done.unreadable:
        click.echo(
            f"Stored webhooks that cannot be opened: {done.unreadable}. Restore their encryption"
            " key (slotkeeper doctor names it) and run this command again.",
            err=True,
        )
        raise click.exceptions.Exit(1)
