"""What the page's buttons do, for the demo user only; not routed without DEMO_USER.

They ask for no key: a browser on this machine may press them, and nobody else.
"""

from typing import Any
from urllib.parse import urlsplit

from litestar import Controller, Request, get, post
from litestar.exceptions import PermissionDeniedException
from litestar.response import Redirect

from adapters.web.auth.demo_access import local_only
from adapters.web.controllers.connect import to_consent
from adapters.web.params.services import FromServices
from adapters.wiring.services import Services
from domain.ids import UserId


class DemoController(Controller):
    """Connect and disconnect the demo user."""

    path = "/demo"
    guards = (local_only,)
    include_in_schema = False

    @get("/connect")
    async def connect(self, services: FromServices) -> Redirect:
        """Send the browser to Calendly's consent page."""
        user_id = await _demo_user(services)
        begun = await services.begin_connect(user_id, return_to="/", bind_browser=True)
        return to_consent(begun, services)

    @post("/disconnect")
    async def disconnect(
        self, request: Request[Any, Any, Any], services: FromServices
    ) -> Redirect:
        """Disconnect the demo user's account, when our own page asks for it."""
        _check_same_origin(request)
        await services.request_disconnect(await _demo_user(services))
        return Redirect("/?calendly=disconnected", status_code=303)


async def _demo_user(services: Services) -> UserId:
    return await services.identify_caller.named(services.settings.demo_user or "")


def _check_same_origin(request: Request[Any, Any, Any]) -> None:
    """Refuse a form that another site posts (Fetch Metadata, with Origin for older browsers)."""
    site = request.headers.get("sec-fetch-site")
    origin = urlsplit(request.headers.get("origin", "")).netloc
    if site != "same-origin" and (site is not None or origin != request.headers.get("host")):
        raise PermissionDeniedException
