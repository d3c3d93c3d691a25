"""`slotkeeper migrate`: brings the database's schema up to date. Needs only DATABASE_URL."""

import asyncio
import os

import click

from adapters.persistence.migrate import migrate, pending
from adapters.settings import load_database_url


@click.command("migrate")
@click.option(
    "--check", is_flag=True, help="Change nothing; exit with 1 when a migration is pending."
)
def migrate_command(check: bool) -> None:
    """Bring the database up to date; safe to run in several processes at the same time."""
    database_url = load_database_url(os.environ)
    if not check:
        _report(asyncio.run(migrate(database_url)), "ran")
        return
    missing = asyncio.run(pending(database_url))
    _report(missing, "is pending")
    if missing:
        raise click.exceptions.Exit(1)


def _report(migrations: list[str], state: str) -> None:
    for migration in migrations:
        click.echo(f"{migration} {state}")
    if not migrations:
        click.echo("The database is up to date.")
