"""The body of `POST /webhook_subscriptions`, and whose hooks a caller may touch."""

from typing import Annotated, cast
from urllib.parse import urlsplit

import msgspec
from litestar.params import QueryParameter

from sandbox.api.errors import detail, invalid_argument, permission_denied
from sandbox.api.params import required, resource_id
from sandbox.oauth.grants import Grant
from sandbox.oauth.scopes import opens
from sandbox.state.directory import User
from sandbox.state.subscriptions import EVENT_SCOPES, FAMILY_READ_SCOPE, HookScope
from sandbox.world import World

QueryScope = Annotated[str | None, QueryParameter(name="scope")]
"""The query parameter `scope`, a word that Litestar keeps for itself."""
_SCOPES = ("organization", "user", "group")


class HookRequest(msgspec.Struct):
    """The whole body; the request says `url`, the answer `callback_url`."""

    url: str | None = None
    events: list[str] = []
    organization: str | None = None
    scope: str | None = None
    user: str | None = None
    group: str | None = None
    signing_key: str | None = None


def check_request(wanted: HookRequest, grant: Grant) -> tuple[str, HookScope]:
    """URL and scope of a request whose fields fit together; 400 otherwise.

    A missing read scope of an event family is a 400 too, not the 403 of other calls.
    """
    url = required("url", wanted.url)
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise invalid_argument(detail("url", "is not a valid URL"))
    required("organization", wanted.organization)
    scope = check_scope_word(wanted.scope)
    if not wanted.events or len(set(wanted.events)) != len(wanted.events):
        raise invalid_argument(detail("events", "must be filled"))
    for event in wanted.events:
        if scope not in EVENT_SCOPES.get(event, ()):
            raise invalid_argument(detail("events", f"{event} is not allowed"))
        if not opens(grant.scopes, FAMILY_READ_SCOPE[event.partition(".")[0]]):
            raise invalid_argument()
    return url, scope


def check_scope_word(scope: str | None) -> HookScope:
    """`organization`, `user` or `group`."""
    if required("scope", scope) not in _SCOPES:
        raise invalid_argument(detail("scope", "is invalid"))
    return cast("HookScope", scope)


def check_owner(
    world: World, caller: User, organization: str | None, scope: str | None, user: str | None
) -> User | None:
    """The user of a user-scoped hook, None for an organization's; 403 for what is not theirs.

    Organization hooks need an owner or admin; a user hook is for oneself alone.
    """
    word = check_scope_word(scope)
    uri = required("organization", organization)
    uuid = resource_id(world, "organization", uri, "organizations")
    if uuid != caller.organization.uuid:
        raise permission_denied()
    if word == "group":
        raise permission_denied()  # no groups here
    if word == "organization":
        if not caller.administers:
            raise permission_denied("You do not have permission")
        return None
    if resource_id(world, "user", required("user", user), "users") != caller.uuid:
        raise permission_denied("You do not have permission")
    return caller
