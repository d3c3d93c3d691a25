"""`slotkeeper refresh`: refreshes one integration's tokens now, as the schedule does."""

from uuid import UUID

import click

from adapters.commands.with_services import with_services
from domain.audit import AuditAction
from domain.ids import IntegrationId
from domain.integration import usable_tokens


@click.command("refresh")
@click.argument("integration_id", type=click.UUID)
def refresh_command(integration_id: UUID) -> None:
    """Refresh the tokens of the integration with this id, or print why that is impossible.

    Waits for a refresh that is under way in another process. An open circuit breaker and Calendly's
    limits apply here too, and `reauth_required` still needs the user.
    """
    wanted = IntegrationId(integration_id)
    refreshed = with_services(
        lambda services: services.refresh_tokens.run(wanted),
        AuditAction.TOKENS_REFRESHED,
        integration_id,
    )
    until = usable_tokens(refreshed).expires_at
    click.echo(f"Refreshed; the access token is good until {until:%Y-%m-%d %H:%M:%S} UTC.")
