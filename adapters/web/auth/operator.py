"""Operators' calls: an API key, and no user.

The rule not to break: these answers are not limited to one user, so a call that names a user is
refused. Otherwise a program that forwards X-User-Id would show one user another user's data.
"""

from typing import Any

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from adapters.web.auth.caller import USER_HEADER
from adapters.web.http.bearer import bearer_token
from adapters.web.params.services import services_of
from application.security.manage_api_keys import SHOWN
from domain.errors import InvalidInput


async def operating(
    connection: ASGIConnection[Any, Any, Any, Any], _handler: BaseRouteHandler
) -> None:
    """Let only a known program through that acts for no user, and remember which it is.

    Raises:
        ApiKeyInvalid: the key is missing, unknown or revoked.
        InvalidInput: the call names a user.

    """
    key = bearer_token(connection.headers)
    await services_of(connection).identify_caller.authenticate(key)
    if USER_HEADER in connection.headers:
        raise InvalidInput("This is a call of operators, for no user: leave X-User-Id out.")
    connection.scope["user"] = f"api:{(key or '')[:SHOWN]}"


def provide_operator(request: Request[Any, Any, Any]) -> str:
    """Return the program that `operating` let through, by what may be shown of its key."""
    operator: str = request.scope["user"]
    return operator
