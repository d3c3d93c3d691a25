"""Grants without the consent page, and their end."""

from typing import Any, Literal
from urllib.parse import parse_qsl, urlsplit

import msgspec
from litestar import post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from sandbox.control.errors import ControlError, found
from sandbox.oauth.apps import App
from sandbox.oauth.consent import RefusedRedirectError, allow, check_authorize, deny
from sandbox.oauth.errors import OAuthError
from sandbox.oauth.grants import ACCESS_TOKEN_LIFE, TokenPair
from sandbox.oauth.scopes import CATALOGUE, parse_scopes
from sandbox.state.directory import User
from sandbox.world import World


class NewApp(msgspec.Struct, forbid_unknown_fields=True):
    """A developer app; without a secret it is native."""

    client_id: str
    signing_key: str
    client_secret: str | None = None
    name: str = "Sandbox app"
    redirect_uris: tuple[str, ...] = ()


class Consent(msgspec.Struct, forbid_unknown_fields=True):
    """A decision at the consent page; `user` by id or e-mail, `decline` names scopes."""

    authorize_url: str
    user: str
    decision: Literal["allow", "deny"] = "allow"
    decline: tuple[str, ...] = ()


class GrantRequest(msgspec.Struct, forbid_unknown_fields=True):
    """A grant to make; without scopes, of everything in the catalogue."""

    scope: str | None = None
    client_id: str | None = None


class MassGrant(GrantRequest, forbid_unknown_fields=True):
    """Grants of many users in the order they were added."""

    count: int | None = None
    offset: int = 0
    users: tuple[str, ...] = ()


@post("/_control/apps")
async def add_app(world: NamedDependency[World], data: JSONBody[NewApp]) -> dict[str, str]:
    """Add a developer app."""
    world.grants.add_app(App(**msgspec.structs.asdict(data)))
    return {"client_id": data.client_id}


@post("/_control/consent", status_code=200)
async def consent(world: NamedDependency[World], data: JSONBody[Consent]) -> dict[str, str]:
    """Return the redirect of a button on the consent page."""
    params = dict(parse_qsl(urlsplit(data.authorize_url).query, keep_blank_values=True))
    try:
        asked = check_authorize(world, params)
    except RefusedRedirectError as refusal:
        return {"redirect_to": refusal.location}
    except OAuthError as refusal:
        raise ControlError(f"the page refuses this request: {refusal.error}") from None
    if data.decision == "deny":
        return {"redirect_to": deny(asked)}
    user = found(world.directory.find(data.user), "user")
    kept = set(asked.scopes) - set(data.decline)
    return {"redirect_to": allow(world, asked, user, kept)}


@post("/_control/users/{key:str}/grant")
async def grant(
    world: NamedDependency[World], key: FromPath[str], data: JSONBody[GrantRequest | None] = None
) -> dict[str, Any]:
    """A ready token pair for a user."""
    user = found(world.directory.find(key), "user")
    return _answer(world, _open(world, user, data or GrantRequest()))


@post("/_control/grants")
async def mass_grant(world: NamedDependency[World], data: JSONBody[MassGrant]) -> dict[str, Any]:
    """Ready token pairs for many users: those named, or `count` from `offset`."""
    if data.users:
        users = [found(world.directory.find(key), f"user {key}") for key in data.users]
    else:
        everybody = list(world.directory.users.values())
        end = None if data.count is None else data.offset + data.count
        users = everybody[data.offset : end]
    return {"grants": [_answer(world, _open(world, user, data)) for user in users]}


@post("/_control/users/{key:str}/revoke", status_code=200)
async def revoke(world: NamedDependency[World], key: FromPath[str]) -> dict[str, int]:
    """The user disconnects every app: all tokens of all grants die."""
    grants = world.grants.of(found(world.directory.find(key), "user"))
    for one in grants:
        world.grants.revoke_grant(one)
    return {"revoked": len(grants)}


@post("/_control/users/{key:str}/expire-access-tokens", status_code=200)
async def expire(world: NamedDependency[World], key: FromPath[str]) -> dict[str, int]:
    """Every access token of the user expires now; refresh tokens live on."""
    now, expired = world.clock.now(), 0
    for one in world.grants.of(found(world.directory.find(key), "user")):
        for pair in one.pairs:
            if pair.expires_at > now:
                pair.expires_at = now
                expired += 1
    return {"expired": expired}


def _open(world: World, user: User, request: GrantRequest) -> TokenPair:
    client_id = request.client_id or world.settings.client_id
    app = found(world.grants.apps.get(client_id), "app")
    scopes = tuple(CATALOGUE) if request.scope is None else parse_scopes(request.scope)
    if scopes is None:
        raise ControlError("unknown scope")
    return world.grants.open_grant(app, user, scopes)


def _answer(world: World, pair: TokenPair) -> dict[str, Any]:
    one = pair.grant
    return {
        "user": one.user.email,
        "owner": world.uri("users", one.user.uuid),
        "organization": world.uri("organizations", one.user.organization.uuid),
        "access_token": pair.access,
        "refresh_token": pair.refresh,
        "scope": " ".join(one.scopes),
        "created_at": int(pair.created_at.timestamp()),
        "expires_in": int(ACCESS_TOKEN_LIFE.total_seconds()),
    }
