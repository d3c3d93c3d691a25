"""`slotkeeper keys rotate-encryption`: seals every stored value anew under the first key.

Needs DATABASE_URL and TOKEN_ENCRYPTION_KEYS. What it prints are columns, public ids, key ids and
counts; never a value, sealed or not.
"""

import asyncio
import os
import time

import click

from adapters.persistence.storage import open_storage
from adapters.security.vault import KeyRingVault
from adapters.settings import EncryptionSettings, load_encryption_settings
from adapters.system.clock import SystemClock
from application.security.rotate_encryption import RotateEncryption, Rotation, Unreadable
from domain.errors import EncryptionKeyUnknown

_SECONDS_BETWEEN_LINES = 2.0


@click.command("rotate-encryption")
def rotate_encryption_command() -> None:
    """Seal every stored value anew under the first of TOKEN_ENCRYPTION_KEYS.

    The service may run meanwhile, provided that all its processes seal with that key already.
    Interrupted, it is simply begun again. Exits with 1 while any value is left under another key.
    """
    settings = load_encryption_settings(os.environ)
    ring = KeyRingVault(settings.token_encryption_keys)
    rotation = asyncio.run(_rotate(settings, ring))
    click.echo(f"Sealed anew with the key {ring.sealing_key_id!r}: {rotation.resealed}.")
    if rotation.is_complete:
        click.echo("No value is left under another key.")
        return
    _tell_what_is_left(rotation, ring)
    raise click.exceptions.Exit(1)


async def _rotate(settings: EncryptionSettings, ring: KeyRingVault) -> Rotation:
    async with open_storage(settings.database_url, ring, max_size=1) as storage:
        rotate = RotateEncryption(
            storage=storage,
            ring=ring,
            clock=SystemClock(),
            resealing=_Lines().resealing,
            unreadable=_tell_unreadable,
        )
        return await rotate()


class _Lines:
    """Prints how far it is, every few seconds and with each column's first page."""

    def __init__(self) -> None:
        self._column = ""
        self._printed_at = 0.0

    def resealing(self, column: str, resealed: int) -> None:
        """Say how many of a column's values are done, unless it was said just now."""
        now = time.monotonic()
        if column == self._column and now - self._printed_at < _SECONDS_BETWEEN_LINES:
            return
        self._column, self._printed_at = column, now
        click.echo(f"{column}: {resealed} so far")


def _tell_unreadable(each: Unreadable) -> None:
    key = f"key {each.key_id!r}" if each.key_id else "no key named"
    click.echo(f"{each.column} of {each.owner}: {each.code}, {key}; left as it is", err=True)


def _tell_what_is_left(rotation: Rotation, ring: KeyRingVault) -> None:
    if rotation.unreadable:
        click.echo(
            f"{rotation.unreadable} values do not open and were left as they are. For"
            f" {EncryptionKeyUnknown.code}, put that key back into TOKEN_ENCRYPTION_KEYS, behind"
            f" {ring.sealing_key_id!r}, and run this again. For any other code the value itself is"
            " lost: restore the row from a backup, or have the user connect again.",
            err=True,
        )
    if rotation.busy:
        click.echo(f"{rotation.busy} values were in use the whole time; run this again.", err=True)
