"""`slotkeeper invalidate`: what is cached of one integration counts as overtaken from now on."""

import asyncio
import os
from uuid import UUID

import click

from adapters.bootstrap import open_services
from adapters.settings import load_settings
from domain.ids import IntegrationId
from domain.integration import Integration, Status

_NEXT = """\
Invalidated: event types, slots, busy times and schedules.
- Readers get the last known at once, marked `invalidated`; behind the first of them it is fetched.
- sync-calendly-availability fetches what is read within 15 minutes, whoever reads it or not."""
_WITHOUT_GRANT = """\
- Not before the user connects again, though: Calendly cannot be asked (`reauth_required`)."""


@click.command("invalidate")
@click.argument("integration_id", type=click.UUID)
def invalidate_command(integration_id: UUID) -> None:
    """Call everything overtaken that is cached of the integration with this id.

    For changes at Calendly that no webhook tells of, such as other working hours. Calendly is not
    asked by this command; what happens next is said.
    """
    click.echo(_told(asyncio.run(_invalidate(IntegrationId(integration_id)))))


async def _invalidate(integration_id: IntegrationId) -> Integration:
    async with open_services(load_settings(os.environ)) as services:
        return await services.invalidate_availability(integration_id)


def _told(integration: Integration) -> str:
    if integration.status is Status.REAUTH_REQUIRED:
        return f"{_NEXT}\n{_WITHOUT_GRANT}"
    return _NEXT
