"""The consent page: who are you, and what may the app do."""

from typing import Any
from urllib.parse import parse_qs

from jinja2 import Environment, PackageLoader
from litestar import MediaType, Request, Response, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import RawBody
from litestar.response import Redirect

from sandbox.oauth.consent import (
    AuthorizeRequest,
    RefusedRedirectError,
    allow,
    check_authorize,
    deny,
)
from sandbox.oauth.errors import OAuthError
from sandbox.oauth.scopes import CATALOGUE, LEGACY
from sandbox.world import World

_SHOWN_USERS = 8
_PAGES = Environment(loader=PackageLoader("sandbox.oauth", "pages"), autoescape=True)
_CARRIED = (
    "client_id",
    "redirect_uri",
    "response_type",
    "scope",
    "state",
    "code_challenge",
    "code_challenge_method",
)
AnyRequest = Request[Any, Any, State]
Page = Response[str]


@get("/oauth/authorize")
async def show_consent(request: AnyRequest, world: NamedDependency[World]) -> Page | Redirect:
    """Show the page, or refuse a request that is wrong."""
    params = dict(request.query_params.multi_items())
    try:
        asked = check_authorize(world, params)
    except RefusedRedirectError as refusal:
        return Redirect(refusal.location)
    except OAuthError as refusal:
        return _refusal(refusal)
    return _page(world, asked, params, None)


@post("/oauth/authorize", status_code=200)
async def decide(world: NamedDependency[World], body: RawBody) -> Page | Redirect:
    """Take the decision and go back to the app."""
    form = parse_qs(body.decode(), keep_blank_values=True)
    params = {name: form[name][0] for name in _CARRIED if name in form}
    try:
        asked = check_authorize(world, params)
    except RefusedRedirectError as refusal:
        return Redirect(refusal.location)
    except OAuthError as refusal:
        return _refusal(refusal)
    kept = set(form.get("granted", []))
    if form.get("decision") != ["allow"] or (asked.scopes and not kept):
        return Redirect(deny(asked))
    who = next((v.strip() for v in (*form.get("email", []), *form.get("user", [])) if v), "")
    user = world.directory.find(who)
    if user is None:
        return _page(world, asked, params, "No user here has that e-mail address.")
    return Redirect(allow(world, asked, user, kept))


def _page(
    world: World, asked: AuthorizeRequest, params: dict[str, str], problem: str | None
) -> Page:
    html = _PAGES.get_template("consent.html").render(
        app_name=asked.app.name,
        users=list(world.directory.users.values())[:_SHOWN_USERS],
        more_users=len(world.directory.users) > _SHOWN_USERS,
        scopes=[
            (s, CATALOGUE.get(s, "Everything") if s != LEGACY else "Full access")
            for s in asked.scopes
        ],
        carried={name: params[name] for name in _CARRIED if name in params},
        redirect_uri=asked.redirect_uri,
        problem=problem,
    )
    return Response(html, media_type=MediaType.HTML, status_code=400 if problem else 200)


def _refusal(error: OAuthError) -> Page:
    html = _PAGES.get_template("refused.html").render(
        error=error.error, description=error.description
    )
    return Response(html, media_type=MediaType.HTML, status_code=error.status)
