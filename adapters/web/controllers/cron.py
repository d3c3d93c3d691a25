"""Starting the scheduled jobs now, for cron services that call over HTTP."""

import hmac
from functools import partial
from typing import Any

from litestar import Controller, get, post
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from adapters.web.auth.caller import client_address
from adapters.web.auth.rate_limits import rate_limits_of
from adapters.web.http.bearer import bearer_token
from adapters.web.openapi import examples
from adapters.web.openapi.operations import CRON_SECURITY, answer, answers
from adapters.web.params.services import FromServices, services_of
from adapters.web.schemas.jobs import StartedJob
from application.ports.jobs import StartedJob as Started
from domain import errors
from domain.secret import Secret

_ANSWERS = answers(
    {202: answer(examples.STARTED_JOB, "Running")},
    errors.CronSecretInvalid,
    errors.RateLimited,
    errors.JobsUnavailable,
)
_by_post = partial(post, status_code=202, responses=_ANSWERS)
_by_get = partial(
    get,
    description="The same as POST, for cron services that only send GET.",
    status_code=202,
    responses=_ANSWERS,
)


async def cron_only(
    connection: ASGIConnection[Any, Any, Any, Any], _handler: BaseRouteHandler
) -> None:
    """Let only the bearer of CRON_SECRET through. Raises CronSecretInvalid, RateLimited."""
    limits, address = rate_limits_of(connection.app), client_address(connection)
    limits.check_address(address)
    if not _same(bearer_token(connection.headers), services_of(connection).settings.cron_secret):
        limits.refuse(address)
        raise errors.CronSecretInvalid("Send `Authorization: Bearer <CRON_SECRET>`.")


def _same(sent: str | None, secret: Secret) -> bool:
    # Compared even when no secret was sent, so that the time taken reveals nothing.
    return hmac.compare_digest((sent or "").encode(), secret.reveal().encode())


class CronController(Controller):
    """The two jobs that run on a schedule; asking while one runs attaches to that run."""

    path = "/api/cron"
    tags = ("Cron",)
    guards = (cron_only,)
    security = CRON_SECURITY

    @_by_get(
        "/refresh-calendly-tokens",
        operation_id="getRefreshCalendlyTokens",
        summary="Refresh tokens now",
    )
    async def refresh_by_get(self, services: FromServices) -> StartedJob:
        return _response(await services.jobs.refresh_tokens())

    @_by_post(
        "/refresh-calendly-tokens",
        operation_id="refreshCalendlyTokens",
        summary="Refresh tokens now",
    )
    async def refresh(self, services: FromServices) -> StartedJob:
        return _response(await services.jobs.refresh_tokens())

    @_by_get(
        "/sync-calendly-availability",
        operation_id="getSyncCalendlyAvailability",
        summary="Sync availability now",
    )
    async def sync_by_get(self, services: FromServices) -> StartedJob:
        return _response(await services.jobs.sync_availability())

    @_by_post(
        "/sync-calendly-availability",
        operation_id="syncCalendlyAvailability",
        summary="Sync availability now",
    )
    async def sync(self, services: FromServices) -> StartedJob:
        return _response(await services.jobs.sync_availability())


def _response(job: Started) -> StartedJob:
    return StartedJob(job.workflow_id, job.run_id, already_running=job.already_running)
