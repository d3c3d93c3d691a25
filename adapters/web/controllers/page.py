"""The page for the first five minutes, and its style sheet."""

from typing import Any

from litestar import MediaType, Request, Response, get

from adapters.web.auth.demo_access import asked_locally
from adapters.web.pages.home import home_view
from adapters.web.pages.templating import STYLE, page
from adapters.web.params.services import FromServices


@get("/", include_in_schema=False)
async def home(request: Request[Any, Any, Any], services: FromServices) -> Response[str]:
    """Show the service's status and, if there is a demo user, that user's connection."""
    query = request.query_params
    view = await home_view(
        services,
        outcome=query.get("calendly"),
        chosen=query.get("event_type"),
        with_demo=asked_locally(request),
    )
    return page("home.html", settings=services.settings, view=view)


@get("/static/slotkeeper.css", include_in_schema=False, sync_to_thread=False)
def style() -> Response[bytes]:
    """Return the one style sheet."""
    return Response(
        STYLE.read_bytes(),
        media_type=MediaType.CSS,
        headers={"Cache-Control": "public, max-age=300"},
    )
