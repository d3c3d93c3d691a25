"""Webhook subscriptions: create, list, read, delete. There is no update and no re-enable."""

from datetime import timedelta
from typing import Any

from litestar import delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, RawBody

from sandbox import ids
from sandbox.api.access import Call, requires
from sandbox.api.errors import already_exists, not_found, permission_denied
from sandbox.api.hook_request import HookRequest, QueryScope, check_owner, check_request
from sandbox.api.paging import page, parse_sort
from sandbox.api.params import body_as
from sandbox.oauth.grants import Grant
from sandbox.shapes.subscriptions import subscription as shape
from sandbox.state.directory import User
from sandbox.state.subscriptions import Subscription
from sandbox.world import World


@post("/webhook_subscriptions", guards=[requires("webhooks:write")])
async def create_subscription(
    request: Call, world: NamedDependency[World], body: RawBody
) -> dict[str, Any]:
    """Subscribe a URL to events of an organization or of the caller."""
    wanted = body_as(HookRequest, body)
    if request.user.plan == "free" and world.switches.plan_gating == "old":
        raise permission_denied("Please upgrade to a paid Calendly account.")
    url, scope = check_request(wanted, request.auth)
    user = check_owner(world, request.user, wanted.organization, scope, wanted.user)
    _check_unique(world, request.auth, url)
    now = world.clock.now()
    subscription = Subscription(
        uuid=ids.fresh_id(),
        app=request.auth.app,
        creator=request.user,
        callback_url=url,
        events=tuple(wanted.events),
        scope=scope,
        organization=request.user.organization,
        user=user,
        signing_key=wanted.signing_key,
        created_at=now,
        updated_at=now,
    )
    world.subscriptions.add(subscription)
    if wanted.signing_key:
        world.issued.signing_keys[wanted.signing_key] = None
    return {"resource": shape(world, subscription)}


@get("/webhook_subscriptions", guards=[requires("webhooks:read")])
async def list_subscriptions(
    *,
    request: Call,
    world: NamedDependency[World],
    organization: FromQuery[str | None] = None,
    hook_scope: QueryScope = None,
    user: FromQuery[str | None] = None,
    sort: FromQuery[str | None] = None,
) -> dict[str, Any]:
    """The app's subscriptions of one organization and scope."""
    order = parse_sort(sort, "created_at:asc", {"created_at": "created_at"})
    owner = check_owner(world, request.user, organization, hook_scope, user)
    shown_since = world.clock.now() - timedelta(seconds=world.switches.hook_list_lag)
    rows = [
        s
        for s in world.subscriptions.of(request.user.organization)
        if s.app is request.auth.app and s.scope == hook_scope and s.user is owner
        if s.created_at <= shown_since
    ]
    return page(world, request, rows, order, shape)


@get("/webhook_subscriptions/{uuid:str}", guards=[requires("webhooks:read")])
async def read_subscription(
    request: Call, world: NamedDependency[World], uuid: FromPath[str]
) -> dict[str, Any]:
    """One subscription of the caller's."""
    return {"resource": shape(world, _own(world, request, uuid))}


@delete("/webhook_subscriptions/{uuid:str}", guards=[requires("webhooks:write")])
async def delete_subscription(
    request: Call, world: NamedDependency[World], uuid: FromPath[str]
) -> None:
    """Unsubscribe; deliveries that still wait are not sent."""
    subscription = _own(world, request, uuid)
    world.subscriptions.remove(subscription)
    world.counters.deliveries["dropped"] += world.outbox.drop(subscription)


def _own(world: World, call: Call, uuid: str) -> Subscription:
    found = world.subscriptions.all.get(uuid)
    if found is None or found.app is not call.auth.app:
        raise not_found()
    caller = call.user
    if found.organization is not caller.organization or not _may_touch(caller, found):
        raise permission_denied()
    return found


def _may_touch(caller: User, subscription: Subscription) -> bool:
    return subscription.user is caller or caller.administers


def _check_unique(world: World, grant: Grant, url: str) -> None:
    """The exact URL string must be new within what the switch names."""
    for other in world.subscriptions.with_url(url):
        same_organization = other.organization is grant.user.organization
        rivals = {
            "app": other.app is grant.app,
            "organization": other.app is grant.app and same_organization,
            "user": other.app is grant.app and other.creator is grant.user,
        }
        if rivals[world.switches.hook_url_unique_per]:
            raise already_exists("Hook with this url already exists")
