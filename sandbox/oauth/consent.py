"""The authorize request and a person's decision on it (RFC 6749 section 4.1, RFC 7636).

An unknown client or redirect URI gets no redirect: the page shows an error instead.
"""

from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import msgspec

from sandbox import ids
from sandbox.oauth.apps import App
from sandbox.oauth.errors import OAuthError
from sandbox.oauth.grants import CODE_LIFE, Code
from sandbox.oauth.scopes import LEGACY, parse_scopes
from sandbox.state.directory import User
from sandbox.world import World

_METHODS = ("S256", "plain")


class RefusedRedirectError(Exception):
    """The request is wrong, but its redirect is good: tell the app there."""

    def __init__(self, error: str, redirect_uri: str, state: str | None) -> None:
        super().__init__(error)
        told = OAuthError(error).as_json()
        self.location = redirect_with(redirect_uri, {**told, "state": state})


class AuthorizeRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A checked authorize request."""

    app: App
    redirect_uri: str
    state: str | None
    scopes: tuple[str, ...]
    challenge: str | None
    challenge_method: str


def check_authorize(world: World, params: dict[str, str]) -> AuthorizeRequest:
    """Check the parameters of an authorize request.

    Raises OAuthError when the client or its redirect is wrong, RefusedRedirectError when
    anything else is.
    """
    app = world.grants.apps.get(params.get("client_id", ""))
    if app is None:
        raise OAuthError("invalid_client", 401)
    redirect_uri = params.get("redirect_uri", "")
    if not app.allows_redirect(redirect_uri):
        raise OAuthError("invalid_redirect_uri")
    state = params.get("state")
    challenge = params.get("code_challenge") or None
    method = params.get("code_challenge_method", "plain")
    scopes = parse_scopes(params.get("scope", ""))
    error = _fault(app, params.get("response_type"), challenge, method)
    if error is None and scopes is None:
        error = "invalid_scope"
    if error is not None or scopes is None:
        raise RefusedRedirectError(error or "invalid_scope", redirect_uri, state)
    if not scopes and world.switches.legacy_app:
        scopes = (LEGACY,)
    return AuthorizeRequest(
        app=app,
        redirect_uri=redirect_uri,
        state=state,
        scopes=scopes,
        challenge=challenge,
        challenge_method=method,
    )


def allow(world: World, request: AuthorizeRequest, user: User, kept: set[str]) -> str:
    """The user consents to the scopes in `kept`; returns where to redirect, with a code."""
    code = Code(
        value=ids.opaque_token(),
        app=request.app,
        user=user,
        redirect_uri=request.redirect_uri,
        scopes=tuple(scope for scope in request.scopes if scope in kept),
        challenge=request.challenge,
        challenge_method=request.challenge_method,
        expires_at=world.clock.now() + CODE_LIFE,
    )
    world.grants.issue_code(code)
    return redirect_with(request.redirect_uri, {"code": code.value, "state": request.state})


def deny(request: AuthorizeRequest) -> str:
    """The user refuses; returns where to redirect, with `access_denied`."""
    return RefusedRedirectError("access_denied", request.redirect_uri, request.state).location


def redirect_with(uri: str, added: dict[str, str | None]) -> str:
    """`uri` with query parameters added; those that are None are left out."""
    parts = urlsplit(uri)
    query = parse_qsl(parts.query, keep_blank_values=True)
    query += [(name, value) for name, value in added.items() if value is not None]
    return urlunsplit(parts._replace(query=urlencode(query)))


def _fault(app: App, response_type: str | None, challenge: str | None, method: str) -> str | None:
    if response_type != "code":
        return "unsupported_response_type"
    if challenge is not None and method not in _METHODS:
        return "invalid_request"
    if challenge is None and app.client_secret is None:
        return "invalid_request"  # a native app must use PKCE
    return None
