"""`slotkeeper refresh`: one integration's tokens, now, by the way that the schedule takes."""

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
    """Refresh the tokens of the integration with this id, or say why that cannot be.

    Waits for a refresh that is under way in another process; an open circuit breaker, Calendly's
    limits and a need for a person hold for operators too.
    """
    click.echo(asyncio.run(_refresh(IntegrationId(integration_id))))


async def _refresh(integration_id: IntegrationId) -> str:
    async with open_services(load_settings(os.environ)) as services:
        fresh = await services.refresh_tokens.run(integration_id)
    until = usable_tokens(fresh).expires_at
    return f"Refreshed; the access token is good until {until:%Y-%m-%d %H:%M:%S} UTC."
