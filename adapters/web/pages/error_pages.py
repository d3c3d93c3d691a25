"""Errors as people see them: a small page outside the API, problem details for everybody else."""

from typing import Any

from litestar import Response

from adapters.web.errors.problems import AnyRequest, problem_response
from adapters.web.http.accept import wants_page
from adapters.web.pages.templating import page

_API = "/api/"


def error_response(request: AnyRequest, error: Exception) -> Response[Any]:
    """Return the answer that tells an error to whoever asked."""
    told = problem_response(request, error)
    if not wants_page(request) or request.scope["path"].startswith(_API):
        return told
    shown = page("problem.html", status=told.content.status, problem=told.content)
    shown.headers.update(told.headers)
    return shown
