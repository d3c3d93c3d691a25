"""Whether the caller wants a page or JSON."""

from typing import Any

from litestar import Request


def wants_page(request: Request[Any, Any, Any]) -> bool:
    """Whether a browser asks: only they name text/html."""
    return "text/html" in request.headers.get("accept", "")
