"""`slotkeeper invalidate`: marks everything cached for one integration as stale."""

from uuid import UUID

import click

from adapters.commands.with_services import with_services
from domain.audit import AuditAction
from domain.ids import IntegrationId
from domain.integration import Integration, Status

_NEXT = """\
Invalidated: event types, slots, busy times and schedules.
- Readers get the cached values immediately, marked `invalidated`; the first read starts a refresh.
- Within 15 minutes sync-calendly-availability refreshes the entries that are in use."""
_WITHOUT_GRANT = """\
- A refresh is possible only after the user connects again (`reauth_required`)."""


@click.command("invalidate")
@click.argument("integration_id", type=click.UUID)
def invalidate_command(integration_id: UUID) -> None:
    """Mark everything cached for the integration with this id as stale.

    Use it after a change at Calendly without a webhook, such as new working hours. The command does
    not call Calendly; it prints the next steps.
    """
    wanted = IntegrationId(integration_id)
    invalidated = with_services(
        lambda services: services.invalidate_availability(wanted),
        AuditAction.AVAILABILITY_INVALIDATED,
        integration_id,
    )
    click.echo(_report(invalidated))


def _report(integration: Integration) -> str:
    if integration.status is Status.REAUTH_REQUIRED:
        return f"{_NEXT}\n{_WITHOUT_GRANT}"
    return _NEXT
