"""`slotkeeper audit`: the audit trail. The command needs only DATABASE_URL."""

import asyncio
import os
from uuid import UUID

import click
import msgspec

from adapters.commands.actor import audit_trail, command_line_actor
from adapters.persistence.bulkheads import Bulkhead
from adapters.persistence.storage import open_storage
from adapters.security.closed_vault import ClosedVault
from adapters.settings import load_database_url
from domain.audit import AuditAction, AuditEntry

MAX_LISTED = 1_000


@click.group("audit")
def audit_command() -> None:
    """List the entries of the audit trail."""


@audit_command.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
@click.option("--limit", type=click.IntRange(1, MAX_LISTED), default=50, show_default=True)
@click.option("--before", type=click.UUID, help="Continue after the last id of an earlier list.")
def list_command(as_json: bool, limit: int, before: UUID | None) -> None:
    """List entries, the latest first."""
    for entry in asyncio.run(_page(limit, before)):
        click.echo(msgspec.json.encode(entry).decode() if as_json else _line(entry))


async def _page(limit: int, before: UUID | None) -> list[AuditEntry]:
    database_url = load_database_url(os.environ)
    async with open_storage(database_url, ClosedVault(), Bulkhead(size=1)) as storage:
        audit = audit_trail(storage)
        entries = await audit.page(limit, before)
        await audit.record(command_line_actor(), AuditAction.AUDIT_LISTED)
    return entries


def _line(entry: AuditEntry) -> str:
    subject = "-" if entry.subject_id is None else str(entry.subject_id)
    done = f"{entry.at:%Y-%m-%d %H:%M:%S}"
    return "  ".join((str(entry.id), done, entry.action, subject, entry.result, entry.actor))
