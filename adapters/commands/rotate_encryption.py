"""`slotkeeper keys rotate-encryption`: seals every stored value again, under the first key.

Needs DATABASE_URL and TOKEN_ENCRYPTION_KEYS. It prints columns, public ids, key ids and counts,
and never a value, sealed or not.
"""

import asyncio
import os
import time

import click

from adapters.commands.actor import audit_trail, command_line_actor
from adapters.persistence.bulkheads import Bulkhead
from adapters.persistence.storage import open_storage
from adapters.security.vault import KeyRingVault
from adapters.settings import EncryptionSettings, load_encryption_settings
from adapters.system.clock import SystemClock
from application.security.rotate_encryption import RotateEncryption, Rotation, Unreadable
from domain.audit import AuditAction
from domain.errors import EncryptionKeyUnknown

_SECONDS_BETWEEN_LINES = 2.0


@click.command("rotate-encryption")
def rotate_encryption_command() -> None:
    """Seal every stored value again, under the first of TOKEN_ENCRYPTION_KEYS.

    The service may keep running if all its processes already seal with that key. If the command is
    interrupted, run it again. Exits with 1 while a value is still sealed with another key.
    """
    settings = load_encryption_settings(os.environ)
    ring = KeyRingVault(settings.token_encryption_keys)
    rotation = asyncio.run(_rotate(settings, ring))
    click.echo(f"Sealed again with the key {ring.sealing_key_id!r}: {rotation.resealed}.")
    if rotation.is_complete:
        click.echo("No value is left under another key.")
        return
    _report_remaining(rotation, ring)
    raise click.exceptions.Exit(1)


async def _rotate(settings: EncryptionSettings, ring: KeyRingVault) -> Rotation:
    async with open_storage(settings.database_url, ring, Bulkhead(size=1)) as storage:
        rotate = RotateEncryption(
            storage=storage,
            ring=ring,
            clock=SystemClock(),
            resealing=_Lines().resealing,
            unreadable=_report_unreadable,
        )
        rotation = await rotate()
        await audit_trail(storage).record(command_line_actor(), AuditAction.ENCRYPTION_ROTATED)
    return rotation


class _Lines:
    """Prints the progress every few seconds, and after the first page of each column."""

    def __init__(self) -> None:
        self._column = ""
        self._printed_at = 0.0

    def resealing(self, column: str, resealed: int) -> None:
        now = time.monotonic()
        if column == self._column and now - self._printed_at < _SECONDS_BETWEEN_LINES:
            return
        self._column, self._printed_at = column, now
        click.echo(f"{column}: {resealed} so far")


def _report_unreadable(each: Unreadable) -> None:
    key = f"key {each.key_id!r}" if each.key_id else "no key named"
    click.echo(f"{each.column} of {each.owner}: {each.code}, {key}; left as it is", err=True)


def _report_remaining(rotation: Rotation, ring: KeyRingVault) -> None:
    if rotation.unreadable:
        click.echo(
            f"{rotation.unreadable} values cannot be opened and are unchanged. For"
            f" {EncryptionKeyUnknown.code}, add that key to TOKEN_ENCRYPTION_KEYS again, after"
            f" {ring.sealing_key_id!r}, and run this command again. For any other code the value"
            " itself is lost: restore the row from a backup, or let the user connect again.",
            err=True,
        )
    if rotation.busy:
        click.echo(
            f"{rotation.busy} values were in use all the time; run this command again.", err=True
        )
