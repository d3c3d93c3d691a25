"""Error responses: a page for a browser outside the API, problem details for all other clients."""

from typing import Any

from litestar import Response

from adapters.web.errors.problems import AnyRequest, problem_response
from adapters.web.http.accept import wants_page
from adapters.web.pages.templating import page
from adapters.web.params.services import services_of

_API = "/api/"


def error_response(request: AnyRequest, error: Exception) -> Response[Any]:
    problem = problem_response(request, error)
    if not wants_page(request) or request.scope["path"].startswith(_API):
        return problem
    content, settings = problem.content, services_of(request).settings
    html = page("problem.html", settings=settings, status=content.status, problem=content)
    html.headers.update(problem.headers)
    return html
