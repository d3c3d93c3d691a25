"""`slotkeeper erasures`: keep the records of erasures apart, and apply them after a restore.

The file has hashes and sealed keys. It names no person, and is of no use without the key ring.
"""

import os
from pathlib import Path
from typing import BinaryIO

import click

from adapters.commands.with_services import with_services
from domain.audit import AuditAction


@click.group("erasures")
def erasures_command() -> None:
    """Export the records of erasures, and apply them to a restored database."""


@erasures_command.command("export")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path), required=False)
def export_command(file: Path | None) -> None:
    """Write the records of all erasures to FILE, or to the standard output.

    An existing FILE is replaced in one step. Keep it apart from the backups of the database.
    """
    text = with_services(
        lambda services: services.export_erasures(), AuditAction.ERASURES_EXPORTED
    )
    if file is None:
        click.echo(text, nl=False)
    else:
        _write(file, text)
        click.echo(f"Written to {file}.")


@erasures_command.command("apply")
@click.argument("file", type=click.File("rb"))
def apply_command(file: BinaryIO) -> None:
    """Erase again all people of FILE from a restored database; "-" is the standard input.

    Run it after `slotkeeper migrate` and before the web process and the worker start. May be
    repeated.
    """
    text = file.read()
    done = with_services(
        lambda services: services.apply_erasures(text), AuditAction.ERASURES_APPLIED
    )
    click.echo(f"Erasures in the file: {done.records}.")
    click.echo(f"Users that are being erased: {done.users}.")
    click.echo(f"Bookings made anonymous: {done.redaction.bookings}.")
    click.echo(f"Stored webhooks rewritten: {done.redaction.webhook_events}.")
    if done.redaction.unreadable:
        click.echo(
            f"Stored webhooks that cannot be opened: {done.redaction.unreadable}. Restore their"
            " encryption key (slotkeeper doctor names it) and run this command again.",
            err=True,
        )
        raise click.exceptions.Exit(1)


def _write(file: Path, text: bytes) -> None:
    """Replace a file in one step; only its owner can read it."""
    new = file.with_name(f"{file.name}.new")
    new.unlink(missing_ok=True)
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as opened:
        opened.write(text)
        opened.flush()
        os.fsync(descriptor)
    new.replace(file)
