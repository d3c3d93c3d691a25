"""`slotkeeper keys`: the API keys of the team's own programs, and the rotation of encryption keys.

The commands for API keys need only DATABASE_URL. A key is printed once, when it is created; the
database stores only its hash.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TypeVar
from uuid import UUID

import click

from adapters.commands.rotate_encryption import rotate_encryption_command
from adapters.persistence.bulkheads import Bulkhead
from adapters.persistence.storage import open_storage
from adapters.security.closed_vault import ClosedVault
from adapters.settings import load_database_url
from adapters.system.clock import SystemClock
from adapters.system.randomness import SystemRandomness
from application.ports.storage.api_keys import ApiKey
from application.security.manage_api_keys import ManageApiKeys

LONGEST_NAME = 100
Result = TypeVar("Result")


@click.group("keys")
def keys_command() -> None:
    """Create, list and revoke API keys; rotate the encryption key."""


keys_command.add_command(rotate_encryption_command)


@keys_command.command("create")
@click.option("--name", required=True, help="A name by which to recognise the key.")
@click.option("--quiet", is_flag=True, help="Print only the key.")
def create_command(name: str, quiet: bool) -> None:
    """Create a key and print it once."""
    name = name.strip()
    if not 0 < len(name) <= LONGEST_NAME:
        raise click.BadParameter(f"must have 1 to {LONGEST_NAME} characters.", param_hint="--name")
    key, secret = asyncio.run(_with_keys(lambda keys: keys.create(name)))
    if quiet:
        click.echo(secret.reveal())
        return
    click.echo(f"Key {key.name!r} ({key.id}). It is not shown again; store it safely:")
    click.echo(secret.reveal())


@keys_command.command("list")
def list_command() -> None:
    """List all keys by id, name and state; the keys themselves are not stored."""
    keys = asyncio.run(_with_keys(lambda keys: keys.all()))
    if not keys:
        click.echo("There is no key yet. Create one: slotkeeper keys create --name NAME")
        return
    click.echo(_line("id", "begins with", "created", "state", "name"))
    for key in keys:
        click.echo(_line(str(key.id), key.prefix, _day(key.created_at), _state(key), key.name))


@keys_command.command("revoke")
@click.argument("key_id", type=click.UUID)
def revoke_command(key_id: UUID) -> None:
    """Revoke the key with this id, immediately and permanently."""
    if not asyncio.run(_with_keys(lambda keys: keys.revoke(key_id))):
        raise click.ClickException(f"No live key has the id {key_id}; see slotkeeper keys list.")
    click.echo(f"The key {key_id} is revoked.")


async def _with_keys(use: Callable[[ManageApiKeys], Awaitable[Result]]) -> Result:
    database_url = load_database_url(os.environ)
    async with open_storage(database_url, ClosedVault(), Bulkhead(size=1)) as storage:
        keys = ManageApiKeys(storage=storage, randomness=SystemRandomness(), clock=SystemClock())
        return await use(keys)


def _line(key_id: str, prefix: str, created: str, state: str, name: str) -> str:
    return f"{key_id:36}  {prefix:11}  {created:10}  {state:18}  {name}"


def _state(key: ApiKey) -> str:
    return "live" if key.revoked_at is None else f"revoked {_day(key.revoked_at)}"


def _day(moment: datetime) -> str:
    """Return the day, in UTC."""
    return f"{moment:%Y-%m-%d}"
