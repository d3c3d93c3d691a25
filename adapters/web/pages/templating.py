"""Server-rendered pages; all values are escaped."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from litestar import MediaType, Response

from adapters.settings import Settings
from adapters.web.http.base_path import base_path

_FOLDER = Path(__file__).parent
_pages = Environment(
    loader=FileSystemLoader(_FOLDER / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
STYLE = _FOLDER / "static" / "slotkeeper.css"


def render(template: str, **values: Any) -> str:
    """Return a page as HTML; a value that the template names and the caller omits is an error."""
    return _pages.get_template(template).render(**values)


def page(template: str, *, settings: Settings, status: int = 200, **values: Any) -> Response[str]:
    """Return a page whose links begin with the path of PUBLIC_URL."""
    return Response(
        render(template, base_path=base_path(settings), **values),
        status_code=status,
        media_type=MediaType.HTML,
    )
