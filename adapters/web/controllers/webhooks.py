"""The addresses to which Calendly delivers webhooks.

The signature is verified over the raw bytes, so nothing here decodes them. The response 204 means
that the delivery is committed.
"""

from dataclasses import dataclass
from typing import Annotated, Any

from litestar import Controller, Request, Response, Router, post
from litestar.exceptions import HTTPException
from litestar.openapi.spec import Example, OpenAPIMediaType, Operation, RequestBody, Schema
from litestar.params import FromPath, HeaderParameter, RawBody

from adapters.web.errors.problems import problem_response
from adapters.web.middleware.request_log import about_integration
from adapters.web.openapi import examples
from adapters.web.openapi.document import SIGNATURE_HEADER
from adapters.web.openapi.operations import NO_SECURITY, answers, empty
from adapters.web.params.known_query import ANY_QUERY
from adapters.web.params.services import FromServices, services_of
from adapters.web.schemas.problem import Problem
from domain import errors
from domain.subscription import owner_of

Signature = Annotated[
    str | None,
    HeaderParameter(
        name=SIGNATURE_HEADER,
        description="`t=<unix seconds>,v1=<hex>`: HMAC-SHA256 over `t.body`.",
    ),
]
_ANSWERS = answers(
    {204: empty("Stored, or a duplicate")},
    errors.MalformedWebhook,
    errors.SignatureRejected,
    errors.PayloadTooLarge,
    errors.StorageUnavailable,
)


@dataclass
class WebhookOperation(Operation):
    """An operation with a raw body, which the handler's parameters do not describe."""

    def __post_init__(self) -> None:
        self.request_body = RequestBody(
            description="An event, as Calendly documents it.",
            required=True,
            content={
                "application/json": OpenAPIMediaType(
                    schema=Schema(title="CalendlyWebhook", additional_properties=True),
                    examples={"event": Example(summary="An event", value=examples.WEBHOOK)},
                )
            },
        )


class WebhooksController(Controller):
    path = "/api/calendly/webhooks"
    tags = ("Webhooks",)
    security = NO_SECURITY
    # The address is the one that a team registered at Calendly.
    opt = {ANY_QUERY: True}  # noqa: RUF012

    @post(
        operation_id="receiveAppWebhook",
        operation_class=WebhookOperation,
        summary="A delivery of an app-wide subscription",
        status_code=204,
        responses=_ANSWERS,
    )
    async def app_wide(
        self, services: FromServices, body: RawBody, signature: Signature = None
    ) -> None:
        await services.ingest_webhook(body, signature, None)

    @post(
        "/{subscription_key:str}",
        operation_id="receiveWebhook",
        operation_class=WebhookOperation,
        summary="A delivery of one user's subscription",
        status_code=204,
        responses=answers(_ANSWERS, errors.SubscriptionNotFound),
    )
    async def of_subscription(
        self,
        services: FromServices,
        body: RawBody,
        subscription_key: FromPath[str],
        signature: Signature = None,
    ) -> None:
        about_integration(owner_of(subscription_key))
        await services.ingest_webhook(body, signature, subscription_key)


def webhooks_router(max_bytes: int) -> Router:
    """Return the webhook routes, for bodies of up to `max_bytes`."""
    return Router(
        path="/",
        route_handlers=[WebhooksController],
        request_max_body_size=max_bytes,
        exception_handlers={413: _too_large},
    )


def _too_large(request: Request[Any, Any, Any], _error: HTTPException) -> Response[Problem]:
    """Count a delivery that the framework refuses before a use case runs."""
    services = services_of(request)
    services.telemetry.webhook_received("too_large")
    limit = services.settings.webhook_max_bytes
    return problem_response(
        request, errors.PayloadTooLarge(f"A webhook's body may have at most {limit} bytes.")
    )
