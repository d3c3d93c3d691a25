"""The OpenAPI 3.1 document and the page that shows it to people, without any CDN."""

from importlib.metadata import version
from typing import Any

from litestar import Request
from litestar.openapi.plugins import JsonRenderPlugin, OpenAPIRenderPlugin
from litestar.openapi.spec import Components, License, Reference, SecurityScheme, Server, Tag

from adapters.settings import Settings
from adapters.web.http.base_path import base_path
from adapters.web.openapi.document import DocumentConfig
from adapters.web.openapi.reference_page import reference
from adapters.web.pages.templating import render
from adapters.web.params.services import services_of

_DESCRIPTION = """\
Keeps your users' Calendly accounts connected, their availability warm and their bookings
complete.

Every request names a program by `Authorization: Bearer <API key>` and one of your users by
`X-User-Id`. A key has scopes; each operation names those that allow it. Errors are problem details
(RFC 9457) with a stable `code` to branch on. Times are RFC 3339 with a UTC offset. Every response
has `X-Request-Id`.
"""
_TAGS = {
    "Connect": "Send a user to Calendly's consent page and take them back.",
    "Integration": "The state of a user's connection, and how to end it.",
    "Availability": "Event types and open slots, from the cache and always with their age.",
    "Bookings": "Stored bookings, and commands for them at Calendly.",
    "Webhooks": "Called by Calendly.",
    "Operators": "Stored webhooks and erasures, over all users: without `X-User-Id`.",
    "Cron": "Start the scheduled jobs now.",
    "Health": "For orchestrators.",
}
_SCHEMES: dict[str, SecurityScheme | Reference] = {
    "api_key": SecurityScheme(
        type="http", scheme="bearer", description="An API key from `slotkeeper keys create`."
    ),
    "operator": SecurityScheme(
        type="http", scheme="bearer", description="An API key of an operator, without `X-User-Id`."
    ),
    "cron_secret": SecurityScheme(
        type="http", scheme="bearer", description="The value of CRON_SECRET."
    ),
}


class ReferencePage(OpenAPIRenderPlugin):
    """The document as one readable page, rendered here."""

    def render(
        self,
        request: Request[Any, Any, Any],
        openapi_schema: dict[str, Any],
    ) -> bytes:
        base = base_path(services_of(request).settings)
        return render("reference.html", base_path=base, **reference(openapi_schema)).encode()


def openapi_config(settings: Settings) -> DocumentConfig:
    return DocumentConfig(
        title="Slotkeeper",
        version=version("slotkeeper"),
        summary="Self-hosted Calendly integration",
        description=_DESCRIPTION,
        license=License(name="Apache-2.0", identifier="Apache-2.0"),
        servers=[Server(url=settings.public_url)],
        components=Components(security_schemes=_SCHEMES),
        tags=[Tag(name=name, description=text) for name, text in _TAGS.items()],
        path="/schema",
        render_plugins=[ReferencePage(path="/"), JsonRenderPlugin(path="/openapi.json")],
    )
