"""`slotkeeper refresh`: refreshes one integration's tokens now, as the schedule does."""

import asyncio
import os
from uuid import UUID

import click

from adapters.bootstrap import open_services
from adapters.settings import load_settings
from domain.ids import IntegrationId
from domain.integration import usable_tokens


@click.command("refresh")
@click.argument("integration_id", type=click.UUID)
def refresh_command(integration_id: UUID) -> None:
    """Refresh the tokens of the integration with this id, or print why that is impossible.

    Waits for a refresh that is under way in another process. An open circuit breaker and Calendly's
    limits apply here too, and `reauth_required` still needs the user.
    """
    click.echo(asyncio.run(_refresh(IntegrationId(integration_id))))


async def _refresh(integration_id: IntegrationId) -> str:
    async with open_services(load_settings(os.environ)) as services:
        refreshed = await services.refresh_tokens.run(integration_id)
    until = usable_tokens(refreshed).expires_at
    return f"Refreshed; the access token is good until {until:%Y-%m-%d %H:%M:%S} UTC."
