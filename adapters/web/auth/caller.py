"""The caller: an API key, and the team's own id of the user it calls for.

A guard, so that it runs before anything of the request is read. An unknown caller learns nothing
about the form of a valid request.
"""

from typing import Any

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from adapters.web.http.bearer import bearer_token
from adapters.web.params.services import services_of
from domain.ids import UserId

USER_HEADER = "x-user-id"
Connection = ASGIConnection[Any, Any, Any, Any]


async def identified(connection: Connection, _handler: BaseRouteHandler) -> None:
    """Accept only a known caller, and remember the user it calls for.

    Raises:
        ApiKeyInvalid: the key is missing, unknown or revoked.
        InvalidInput: X-User-Id is missing or too long.

    """
    connection.scope["user"] = await _identify(connection)


async def maybe_identified(connection: Connection, _handler: BaseRouteHandler) -> None:
    """Remember the user of an authenticated caller; accept any other caller without one."""
    anonymous = "authorization" not in connection.headers
    connection.scope["user"] = None if anonymous else await _identify(connection)


async def _identify(connection: Connection) -> UserId:
    return await services_of(connection).identify_caller(
        bearer_token(connection.headers), connection.headers.get(USER_HEADER)
    )


def provide_user_id(request: Request[Any, Any, Any]) -> UserId:
    user: UserId = request.scope["user"]
    return user


def provide_maybe_user_id(request: Request[Any, Any, Any]) -> UserId | None:
    user: UserId | None = request.scope["user"]
    return user
