"""The caller: an API key, and the team's own id of the user it calls for.

A guard, so that it runs before anything of the request is read. An unknown caller learns nothing
about the form of a valid request.
"""

from typing import Any, Final
from uuid import UUID

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from adapters.web.auth.rate_limits import limited
from adapters.web.http.bearer import KEY_ID, bearer_token
from adapters.web.http.request_id import request_id_of
from adapters.web.params.services import services_of
from application.security.identify_caller import Credentials
from domain.api_key import KeyScope
from domain.audit import Actor
from domain.ids import UserId

USER_HEADER = "x-user-id"
READING: Final = frozenset({KeyScope.APP, KeyScope.READ})
ACTING: Final = frozenset({KeyScope.APP})

NEEDS: Final = "key_scopes"
"""Option of a handler: a key must have one of these scopes. Otherwise its method decides."""

CREATES_USER: Final = "creates_user"
"""Option of a handler: the user exists from this call on."""

Connection = ASGIConnection[Any, Any, Any, Any]


async def identified(connection: Connection, handler: BaseRouteHandler) -> None:
    """Accept only a known caller, and remember the user it calls for.

    Raises:
        ApiKeyInvalid: the key is missing, unknown, expired or revoked.
        RateLimited: the key, the user or the address sends too many requests.
        KeyNetworkRefused, KeyScopeMissing: the key may not do this, or not from there.
        InvalidInput: X-User-Id is missing or cannot be an id.

    """
    connection.scope["user"] = await _identify(connection, handler)


async def maybe_identified(connection: Connection, handler: BaseRouteHandler) -> None:
    """Remember the user of an authenticated caller; accept any other caller without one."""
    anonymous = "authorization" not in connection.headers
    connection.scope["user"] = None if anonymous else await _identify(connection, handler)


def credentials(connection: Connection) -> Credentials:
    """Return the key and the client's address."""
    return Credentials(bearer_token(connection.headers), client_address(connection))


def client_address(connection: Connection) -> str | None:
    """Return the client's address as uvicorn's trusted proxies report it; None without one."""
    return connection.client.host if connection.client else None


def needs(connection: Connection, handler: BaseRouteHandler) -> frozenset[KeyScope]:
    """Return the scopes that allow a user's call; a key must have one of them."""
    declared: frozenset[KeyScope] | None = handler.opt.get(NEEDS)
    if declared is not None:
        return declared
    return READING if connection.scope.get("method") in {"GET", "HEAD"} else ACTING


def remember_key(connection: Connection, key_id: UUID) -> None:
    """Keep the id of the caller's key for the access log and for the cached responses."""
    state: dict[str, Any] = connection.scope["state"]
    state[KEY_ID] = key_id


def actor_of(connection: Connection) -> Actor:
    """Return the program of an identified call, for the audit trail."""
    state: dict[str, Any] = connection.scope["state"]
    return Actor(f"key:{state[KEY_ID]}", request_id_of(connection.scope))


def provide_program(request: Request[Any, Any, Any]) -> Actor:
    """Return the program that calls for a user."""
    return actor_of(request)


async def _identify(connection: Connection, handler: BaseRouteHandler) -> UserId:
    presented, user = credentials(connection), connection.headers.get(USER_HEADER)
    with limited(connection, presented.api_key, presented.address) as limits:
        user_id, key_id = await services_of(connection).identify_caller(
            presented,
            user,
            needs(connection, handler),
            creates=handler.opt.get(CREATES_USER, False),
        )
    remember_key(connection, key_id)
    limits.admit(key_id, (user or "").encode())
    return user_id


def provide_user_id(request: Request[Any, Any, Any]) -> UserId:
    user: UserId = request.scope["user"]
    return user


def provide_maybe_user_id(request: Request[Any, Any, Any]) -> UserId | None:
    user: UserId | None = request.scope["user"]
    return user
