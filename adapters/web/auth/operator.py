"""Operators' calls: an API key, and no user.

The rule not to break: these answers are not limited to one user, so a call that names a user is
refused. Otherwise a program that forwards X-User-Id would show one user another user's data.
"""

from typing import Any, Final

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from adapters.web.auth.caller import NEEDS, USER_HEADER, actor_of, credentials, remember_key
from adapters.web.auth.rate_limits import limited
from adapters.web.params.services import services_of
from domain.api_key import KeyScope
from domain.audit import Actor
from domain.errors import InvalidInput

OPERATING: Final = frozenset({KeyScope.OPERATOR})
ERASING: Final = frozenset({KeyScope.ERASE})


async def operating(
    connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler
) -> None:
    """Let only a known program through that acts for no user, and remember which it is.

    Raises:
        ApiKeyInvalid: the key is missing, unknown, expired or revoked.
        RateLimited: the key or the address sends too many requests.
        KeyNetworkRefused, KeyScopeMissing: the key may not do this, or not from there.
        InvalidInput: the call names a user.

    """
    presented = credentials(connection)
    needed: frozenset[KeyScope] = handler.opt.get(NEEDS, OPERATING)
    with limited(connection, presented.api_key, presented.address) as limits:
        key_id = await services_of(connection).identify_caller.authenticate(presented, needed)
    remember_key(connection, key_id)
    limits.admit(key_id, None)
    if USER_HEADER in connection.headers:
        raise InvalidInput("This is a call of operators, for no user: leave X-User-Id out.")
    connection.scope["user"] = actor_of(connection)


def provide_operator(request: Request[Any, Any, Any]) -> Actor:
    """Return the program that calls, for the audit trail."""
    operator: Actor = request.scope["user"]
    return operator
