"""What the caller wants to see: a page or JSON."""

from typing import Any

from litestar import Request


def wants_page(request: Request[Any, Any, Any]) -> bool:
    """Whether a browser asks: only they name text/html."""
    return "text/html" in request.headers.get("accept", "")


def wants_json(request: Request[Any, Any, Any]) -> bool:
    """Whether a program asks for JSON by name."""
    return not wants_page(request) and "application/json" in request.headers.get("accept", "")
