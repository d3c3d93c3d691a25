"""`slotkeeper migrate`: brings the database's schema up to date. Needs only DATABASE_URL."""

import asyncio
import os

import click

from adapters.persistence.migrate import migrate, pending
from adapters.settings import load_database_url


@click.command("migrate")
@click.option("--check", is_flag=True, help="Change nothing; exit with 1 when any is pending.")
def migrate_command(check: bool) -> None:
    """Bring the database up to date; several at once do no harm."""
    database_url = load_database_url(os.environ)
    if not check:
        _tell(asyncio.run(migrate(database_url)), "ran")
        return
    missing = asyncio.run(pending(database_url))
    _tell(missing, "is pending")
    if missing:
        raise click.exceptions.Exit(1)


def _tell(migrations: list[str], what: str) -> None:
    for migration in migrations:
        click.echo(f"{migration} {what}")
    if not migrations:
        click.echo("The database is up to date.")
