"""The page at the sandbox's address: its purpose, its users, commands to try."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader
from litestar import MediaType, Request, Response, get
from litestar.di import NamedDependency

from sandbox.world import World

_SHOWN_USERS = 8
_README = Path(__file__).with_name("README.md")
_PAGES = Environment(loader=PackageLoader("sandbox.oauth", "pages"), autoescape=True)


@get("/")
async def front_page(
    request: Request[Any, Any, Any], world: NamedDependency[World]
) -> Response[str]:
    """Show the page."""
    users = list(world.directory.users.values())
    html = _PAGES.get_template("front.html").render(
        base=str(request.base_url).rstrip("/"),
        users=users[:_SHOWN_USERS],
        more=max(len(users) - _SHOWN_USERS, 0),
    )
    return Response(html, media_type=MediaType.HTML)


@get("/_control/readme", sync_to_thread=False)
def readme() -> Response[str]:
    """Show the sandbox's README as text."""
    return Response(_README.read_text(encoding="utf-8"), media_type=MediaType.TEXT)
