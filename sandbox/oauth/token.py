"""The machine side of the OAuth host: token, revoke, introspect."""

from typing import Any

from litestar import Request, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import RawBody
from litestar.status_codes import HTTP_200_OK

from sandbox.oauth.apps import App
from sandbox.oauth.errors import OAuthError
from sandbox.oauth.forms import authenticate, read_form
from sandbox.oauth.grants import ACCESS_TOKEN_LIFE, TokenPair
from sandbox.rates import TOKENS_PER_MINUTE
from sandbox.state.directory import User
from sandbox.world import World

AnyRequest = Request[Any, Any, State]


@post("/oauth/token", status_code=HTTP_200_OK, response_headers={"Cache-Control": "no-store"})
async def token(
    request: AnyRequest, world: NamedDependency[World], body: RawBody
) -> dict[str, Any]:
    """Trade a code or a refresh token for a pair (RFC 6749 sections 4.1.3 and 6)."""
    kind = "unreadable"
    try:
        form = read_form(body, request.headers.get("content-type", ""))
        kind = form.get("grant_type", "missing")
        app = authenticate(world.grants, request.headers.get("authorization"), form)
        pair = _trade(world, app, form)
    except OAuthError as refusal:
        world.counters.token_requests[f"{_known(kind)}:{refusal.error}"] += 1
        raise
    world.counters.token_requests[f"{_known(kind)}:ok"] += 1
    return _token_answer(world, pair)


@post("/oauth/revoke", status_code=HTTP_200_OK)
async def revoke(
    request: AnyRequest, world: NamedDependency[World], body: RawBody
) -> dict[str, Any]:
    """Kill a pair by either of its tokens (RFC 7009); an unknown token is accepted."""
    form = read_form(body, request.headers.get("content-type", ""))
    authorization = request.headers.get("authorization")
    app = authenticate(world.grants, authorization, form, status=403)
    pair = _pair_named(world, form)
    if pair is not None:
        if pair.grant.app is not app:
            raise OAuthError("unauthorized_client", 403)
        world.grants.revoke_pair(pair)
    return {}


@post("/oauth/introspect", status_code=HTTP_200_OK)
async def introspect(
    request: AnyRequest, world: NamedDependency[World], body: RawBody
) -> dict[str, Any]:
    """Return the state of a token (RFC 7662)."""
    form = read_form(body, request.headers.get("content-type", ""))
    app = authenticate(world.grants, request.headers.get("authorization"), form)
    pair = _pair_named(world, form)
    if pair is None or pair.grant.app is not app or not _live(world, pair, form["token"]):
        return {"active": False}
    grant = pair.grant
    return {
        "active": True,
        "scope": " ".join(grant.scopes),
        "client_id": app.client_id,
        "token_type": "Bearer",
        "exp": int(pair.expires_at.timestamp()),
        "iat": int(pair.created_at.timestamp()),
        "owner": world.uri("users", grant.user.uuid),
        "organization": world.uri("organizations", grant.user.organization.uuid),
    }


def _trade(world: World, app: App, form: dict[str, str]) -> TokenPair:
    match form.get("grant_type"):
        case "authorization_code":
            value = _needed(form, "code")
            code = world.grants.codes.get(value)
            _admit(world, None if code is None else code.user)
            return world.grants.exchange(
                app, value, form.get("redirect_uri"), form.get("code_verifier")
            )
        case "refresh_token":
            value = _needed(form, "refresh_token")
            pair = world.grants.by_refresh.get(value)
            _admit(world, None if pair is None else pair.grant.user)
            return world.grants.refresh(app, value)
        case None:
            raise OAuthError("invalid_request")
        case _:
            raise OAuthError("unsupported_grant_type")


def _admit(world: World, user: User | None) -> None:
    """Calendly: no more than eight token requests a user a minute."""
    if user is not None:
        standing = world.rates.take(f"token:{user.uuid}", TOKENS_PER_MINUTE)
        if standing.exceeded:
            raise OAuthError("rate_limited", 429)


def _token_answer(world: World, pair: TokenPair) -> dict[str, Any]:
    grant = pair.grant
    return {
        "token_type": "Bearer",
        "expires_in": int(ACCESS_TOKEN_LIFE.total_seconds()),
        "created_at": int(pair.created_at.timestamp()),
        "refresh_token": pair.refresh,
        "access_token": pair.access,
        "scope": " ".join(grant.scopes),
        "owner": world.uri("users", grant.user.uuid),
        "organization": world.uri("organizations", grant.user.organization.uuid),
    }


def _pair_named(world: World, form: dict[str, str]) -> TokenPair | None:
    value = _needed(form, "token")
    return world.grants.by_access.get(value) or world.grants.by_refresh.get(value)


def _live(world: World, pair: TokenPair, value: str) -> bool:
    if value == pair.refresh:
        return world.grants.honours(pair)
    return not pair.access_revoked and world.clock.now() < pair.expires_at


def _needed(form: dict[str, str], name: str) -> str:
    if not form.get(name):
        raise OAuthError("invalid_request")
    return form[name]


def _known(kind: str) -> str:
    """A grant type as a bounded label."""
    return kind if kind in ("authorization_code", "refresh_token") else "other"
