"""`slotkeeper webhooks`: the stored webhooks, for operators.

The commands print ids, codes, counts and times. Only `show --body` prints a body, without the
links that change a booking without a login.
"""

from datetime import datetime
from uuid import UUID

import click
import msgspec

from adapters.commands.actor import command_line_actor
from adapters.commands.with_services import with_services
from application.ports.storage.webhook_archive import StoredWebhook, WebhookQuery, WebhookStatus
from domain.audit import AuditAction
from domain.ids import WebhookEventId

MAX_LISTED = 1_000

_WIDTHS = (36, 19, 13, 5, 26, 0)


@click.group("webhooks")
def webhooks_command() -> None:
    """List, show and replay stored webhooks."""


@webhooks_command.command("list")
@click.option(
    "--status",
    type=click.Choice([each.value for each in WebhookStatus]),
    help="List only this status.",
)
@click.option("--reason", help="List only webhooks with this reason, a code.")
@click.option("--limit", type=click.IntRange(1, MAX_LISTED), default=50, show_default=True)
@click.option("--after", type=click.UUID, help="Continue after the last id of an earlier list.")
def list_command(status: str | None, reason: str | None, limit: int, after: UUID | None) -> None:
    """List stored webhooks, latest first, without their bodies."""
    query = WebhookQuery(
        limit=limit,
        status=None if status is None else WebhookStatus(status),
        reason=reason,
        after=None if after is None else WebhookEventId(after),
    )
    page = with_services(
        lambda services: services.list_webhooks(query), AuditAction.WEBHOOKS_LISTED
    )
    if not page.items:
        click.echo("There are none.")
        return
    click.echo(_line("id", "received (UTC)", "status", "tries", "kind", "reason"))
    for each in page.items:
        click.echo(_listed(each))
    if page.next is not None:
        click.echo(f"More: --after {page.next}")


@webhooks_command.command("show")
@click.argument("event_id", type=click.UUID)
@click.option(
    "--body", "with_body", is_flag=True, help="Print the body too; it holds personal data."
)
def show_command(event_id: UUID, with_body: bool) -> None:
    """Show one stored webhook."""
    wanted = WebhookEventId(event_id)
    shown = with_services(
        lambda services: services.show_webhook(wanted, with_body=with_body),
        AuditAction.WEBHOOK_BODY_SHOWN if with_body else AuditAction.WEBHOOK_SHOWN,
        event_id,
    )
    for name, value in msgspec.structs.asdict(shown.webhook).items():
        shown_value = (
            "-" if value is None else _moment(value) if isinstance(value, datetime) else value
        )
        click.echo(f"{name:16} {shown_value}")
    if with_body:
        click.echo(msgspec.json.format(msgspec.json.encode(shown.body), indent=2).decode())


@webhooks_command.command("replay")
@click.argument("event_id", type=click.UUID, required=False)
@click.option("--dead-lettered", is_flag=True, help="Replay every dead letter.")
@click.option("--reason", help="With --dead-lettered: replay only those with this reason, a code.")
def replay_command(event_id: UUID | None, dead_lettered: bool, reason: str | None) -> None:
    """Queue stored webhooks to be applied again; the replay is recorded.

    Replaying a webhook that was already applied changes nothing.
    """
    if dead_lettered is (event_id is not None):
        raise click.UsageError("Name one webhook by its id, or all by --dead-lettered.")
    if reason is not None and not dead_lettered:
        raise click.UsageError("--reason goes with --dead-lettered.")
    by = command_line_actor()
    if event_id is None:
        count = with_services(lambda services: services.replay_webhook.dead_letters(by, reason))
        click.echo(f"Queued again: {count}.")
        return
    wanted = WebhookEventId(event_id)
    replayed = with_services(lambda services: services.replay_webhook(wanted, by))
    click.echo(f"Queued again: {replayed.kind} of {_moment(replayed.received_at)} UTC.")


def _listed(each: StoredWebhook) -> str:
    received, attempts = _moment(each.received_at), str(each.attempts)
    return _line(str(each.id), received, each.status, attempts, each.kind, each.reason or "-")


def _line(*cells: str) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, _WIDTHS, strict=True))


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}"
