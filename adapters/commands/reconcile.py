"""`slotkeeper reconcile`: compares bookings with Calendly's now, as the schedule does.

Invariant: it runs with a job's priority, so it leaves users their share of Calendly's limits.
"""

from uuid import UUID

import click

from adapters.commands.with_services import with_services
from adapters.wiring.services import Services
from application.jobs.job_result import JobResult
from application.resilience.priority import in_background
from domain.audit import AuditAction
from domain.ids import IntegrationId


@click.command("reconcile")
@click.argument("integration_id", type=click.UUID, required=False)
@click.option(
    "--wide", is_flag=True, help="Compare as wide a range as after connecting an account."
)
def reconcile_command(integration_id: UUID | None, *, wide: bool) -> None:
    """Compare the bookings of one integration, or of all, with Calendly's, and repair them.

    A repaired booking is one whose webhook was lost; an `unsubscribed` account receives no webhooks.
    Exits with 1 when an integration could not be compared; the others are still compared.
    """
    report, ok = with_services(
        lambda services: _reconcile(services, integration_id, wide=wide),
        AuditAction.BOOKINGS_RECONCILED,
        integration_id,
    )
    click.echo(report)
    if not ok:
        raise click.exceptions.Exit(1)


async def _reconcile(
    services: Services, integration_id: UUID | None, *, wide: bool
) -> tuple[str, bool]:
    with in_background():
        if integration_id is not None:
            return await _one(services, IntegrationId(integration_id), wide=wide), True
        total = await _all(services, wide=wide)
    return _report(total), not total.failed


async def _one(services: Services, integration_id: IntegrationId, *, wide: bool) -> str:
    result, count = await services.reconcile_all.one(integration_id, wide=wide)
    return f"Compared: {result}, {count} {'booking' if count == 1 else 'bookings'}."


async def _all(services: Services, *, wide: bool) -> JobResult:
    limit = services.settings.page_size
    total = await services.reconcile_all(None, limit, _no_progress, wide=wide)
    while total.more:
        page = await services.reconcile_all(total.cursor, limit, _no_progress, wide=wide)
        total = total.plus(page)
    return total


def _no_progress(job_result: JobResult) -> None:
    """Show no progress: the command prints the sum at the end."""


def _report(total: JobResult) -> str:
    ended = [f"{name} {count}" for name, count in sorted(total.done.items())]
    failed = [f"failed ({code}) {count}" for code, count in sorted(total.failed.items())]
    count = "1 integration" if total.examined == 1 else f"{total.examined} integrations"
    return f"Compared {count}: {', '.join(ended + failed) or 'none is connected'}."
