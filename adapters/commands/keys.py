"""`slotkeeper keys`: the API keys of the team's own programs, and the rotation of encryption keys.

The commands for API keys need only DATABASE_URL. A key is printed once, when it is created; the
database stores only its hash.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

import click

from adapters.commands.actor import command_line_actor
from adapters.commands.rotate_encryption import rotate_encryption_command
from adapters.persistence.bulkheads import Bulkhead
from adapters.persistence.storage import open_storage
from adapters.security.closed_vault import ClosedVault
from adapters.settings import load_database_url
from adapters.system.clock import SystemClock
from adapters.system.randomness import SystemRandomness
from adapters.variables.durations import parse_duration
from application.ports.storage.api_keys import ApiKey
from application.security.manage_api_keys import ManageApiKeys
from domain.api_key import ALL, KeyScope, networks_of
from domain.errors import InvalidInput

LONGEST_NAME = 100
_LONGEST = timedelta(days=3650)


class _Lifetime(click.ParamType[timedelta]):
    """A length of time such as 90d."""

    name = "duration"

    def convert(self, value: Any, param: Any, ctx: Any) -> timedelta:
        try:
            lifetime = parse_duration(value)
        except ValueError:
            lifetime = timedelta()
        if not timedelta() < lifetime <= _LONGEST:
            self.fail("must be a length of up to ten years, such as 12h or 90d.", param, ctx)
        return lifetime


LIFETIME = _Lifetime()
Result = TypeVar("Result")


@click.group("keys")
def keys_command() -> None:
    """Create, list and revoke API keys; rotate the encryption key."""


keys_command.add_command(rotate_encryption_command)


@keys_command.command("create")
@click.option("--name", required=True, help="A name by which to recognise the key.")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    type=click.Choice([each.value for each in KeyScope]),
    help="A right of the key; may be repeated. Without any the key has all.",
)
@click.option("--expires", type=LIFETIME, help="How long the key works, such as 90d or 12h.")
@click.option(
    "--network",
    "networks",
    multiple=True,
    help="From where alone the key works, such as 10.0.0.0/8; may be repeated.",
)
@click.option("--quiet", is_flag=True, help="Print only the key.")
def create_command(
    name: str,
    scopes: tuple[str, ...],
    expires: timedelta | None,
    networks: tuple[str, ...],
    quiet: bool,
) -> None:
    """Create a key and print it once.

    A key with the scope `app` acts for users, one with `read` only reads for them. `operator`
    looks at all users and repairs; `erase` erases invitees.
    """
    name = name.strip()
    if not 0 < len(name) <= LONGEST_NAME:
        raise click.BadParameter(f"must have 1 to {LONGEST_NAME} characters.", param_hint="--name")
    try:
        canonical = networks_of(networks)
    except InvalidInput as error:
        raise click.BadParameter(error.message, param_hint="--network") from None
    rights = frozenset(KeyScope(each) for each in scopes) or ALL
    key, secret = asyncio.run(
        _with_keys(
            lambda keys: keys.create(
                name, scopes=rights, lifetime=expires, networks=canonical, by=command_line_actor()
            )
        )
    )
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
    click.echo(
        _line("id", "begins with", "created", "last used", "state", "scopes", "made by", "name")
    )
    now = datetime.now(UTC)
    for key in keys:
        used = _day(key.last_used_at) if key.last_used_at else "never"
        shown = (_day(key.created_at), used, _state(key, now), _scopes(key))
        maker = key.created_by or "unknown"
        click.echo(_line(str(key.id), key.prefix, *shown, maker, key.name))


@keys_command.command("revoke")
@click.argument("key_id", type=click.UUID)
def revoke_command(key_id: UUID) -> None:
    """Revoke the key with this id, immediately and permanently."""
    if not asyncio.run(_with_keys(lambda keys: keys.revoke(key_id, command_line_actor()))):
        raise click.ClickException(f"No live key has the id {key_id}; see slotkeeper keys list.")
    click.echo(f"The key {key_id} is revoked.")


async def _with_keys(use: Callable[[ManageApiKeys], Awaitable[Result]]) -> Result:
    database_url = load_database_url(os.environ)
    async with open_storage(database_url, ClosedVault(), Bulkhead(size=1)) as storage:
        keys = ManageApiKeys(storage=storage, randomness=SystemRandomness(), clock=SystemClock())
        return await use(keys)


def _line(*columns: str) -> str:
    widths = (36, 11, 10, 10, 18, 23, 20, 0)
    return "  ".join(f"{text:{width}}" for text, width in zip(columns, widths, strict=True))


def _scopes(key: ApiKey) -> str:
    return "all (made before)" if key.scopes is None else ",".join(sorted(key.scopes))


def _state(key: ApiKey, now: datetime) -> str:
    if key.revoked_at is not None:
        return f"revoked {_day(key.revoked_at)}"
    if key.expires_at is None:
        return "live"
    return f"{'expired' if key.expires_at <= now else 'until'} {_day(key.expires_at)}"


def _day(moment: datetime) -> str:
    """Return the day, in UTC."""
    return f"{moment:%Y-%m-%d}"
