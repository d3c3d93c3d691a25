"""`slotkeeper erase-user`: erases one user of the team's with all that is stored of them.

The command never prints the id: a terminal's history or a job's log may keep it.
"""

import sys

import click

from adapters.commands.actor import command_line_actor
from adapters.commands.erase_invitee import STDIN
from adapters.commands.with_services import with_services


@click.command("erase-user")
@click.argument("user_id")
def erase_user_command(user_id: str) -> None:
    """Erase the user with this id of the team's; "-" reads it from the standard input.

    Their accounts are disconnected at Calendly first, by a durable job. May be repeated; an
    unknown user has the same result.
    """
    if user_id == STDIN:
        user_id = sys.stdin.readline().rstrip("\r\n")
    begun = with_services(lambda services: services.erase_user(user_id, command_line_actor()))
    click.echo(f"Erasure {begun.id}.")
