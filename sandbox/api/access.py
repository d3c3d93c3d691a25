"""The permissions of a caller: scope guards and the organization rules that several routes share."""

from collections.abc import Callable
from typing import Any

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.datastructures import State
from litestar.handlers.base import BaseRouteHandler

from sandbox.api.errors import insufficient_scope, permission_denied
from sandbox.oauth.grants import Grant
from sandbox.oauth.scopes import opens
from sandbox.state.directory import User

Call = Request[User, Grant, State]
Guard = Callable[[ASGIConnection[Any, Any, Any, Any], BaseRouteHandler], None]


def requires(scope: str) -> Guard:
    """A route guard: 403 with `required_scopes` unless the grant opens `scope`."""

    def guard(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
        check_scope(connection.auth, scope)

    return guard


def check_scope(grant: Grant, scope: str) -> None:
    """Raise the 403 of a missing scope."""
    if not opens(grant.scopes, scope):
        raise insufficient_scope(scope)


def same_organization(caller: User, other: User | None) -> User:
    """The other user, if in the caller's organization; otherwise Calendly's 403."""
    if other is None or other.organization is not caller.organization:
        raise permission_denied("This user is not in your organization")
    return other


def own_organization(caller: User, uuid: str) -> None:
    """Raise 403 unless `uuid` is the caller's own organization."""
    if caller.organization.uuid != uuid:
        raise permission_denied()


def administered(caller: User, uuid: str) -> None:
    """Raise 403 unless the caller owns or administers the organization `uuid`."""
    own_organization(caller, uuid)
    if not caller.administers:
        raise permission_denied("You do not have permission")


def visible(caller: User, owner: User) -> bool:
    """Whether the caller may read what belongs to `owner`."""
    if caller is owner:
        return True
    return caller.administers and owner.organization is caller.organization
