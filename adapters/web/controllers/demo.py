"""The actions of the page's buttons, for the demo user only; without DEMO_USER there is no route.

They need no API key: only a browser on this machine may use them.
"""

from typing import Any
from urllib.parse import urlsplit

from litestar import Controller, Request, get, post
from litestar.exceptions import PermissionDeniedException
from litestar.response import Redirect

from adapters.web.auth.demo_access import local_only
from adapters.web.controllers.connect import to_consent
from adapters.web.http.base_path import base_path
from adapters.web.params.services import FromServices
from adapters.wiring.services import Services
from domain.audit import Actor
from domain.ids import UserId

_DEMO = Actor("demo")


class DemoController(Controller):
    """Connect and disconnect the demo user."""

    path = "/demo"
    guards = (local_only,)
    include_in_schema = False

    @get("/connect")
    async def connect(self, services: FromServices) -> Redirect:
        """Send the browser to Calendly's consent page."""
        user_id = await _demo_user(services)
        home = f"{base_path(services.settings)}/"
        begun = await services.begin_connect(user_id, return_to=home, bind_browser=True)
        return to_consent(begun, services)

    @post("/disconnect")
    async def disconnect(
        self, request: Request[Any, Any, Any], services: FromServices
    ) -> Redirect:
        """Disconnect the demo user's account, if the form is from our own page."""
        _check_same_origin(request)
        await services.request_disconnect(await _demo_user(services), _DEMO)
        home = f"{base_path(services.settings)}/"
        return Redirect(f"{home}?calendly=disconnected", status_code=303)


async def _demo_user(services: Services) -> UserId:
    return await services.identify_caller.named(services.settings.demo_user or "")


def _check_same_origin(request: Request[Any, Any, Any]) -> None:
    """Reject a form from another site (Fetch Metadata, and Origin for older browsers)."""
    site = request.headers.get("sec-fetch-site")
    origin = urlsplit(request.headers.get("origin", "")).netloc
    if site != "same-origin" and (site is not None or origin != request.headers.get("host")):
        raise PermissionDeniedException
