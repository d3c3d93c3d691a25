"""Refresh tokens in bulk: what each is worth, and what its grant has been through."""

from typing import Any

import msgspec
from litestar import post
from litestar.di import NamedDependency
from litestar.params import JSONBody

from sandbox.oauth.grants import TokenPair
from sandbox.world import World


class Shown(msgspec.Struct, forbid_unknown_fields=True):
    """Refresh tokens to look up."""

    refresh_tokens: tuple[str, ...]


@post("/_control/tokens/standing", status_code=200)
async def standing(world: NamedDependency[World], data: JSONBody[Shown]) -> dict[str, Any]:
    """Of each token, in order: whether it would be exchanged now, and how its grant fared.

    `newest`: no later pair was issued for the grant. `grant_honoured`: some pair of it is good.
    `exchanges`: how often the grant was refreshed. `reused`: how often a spent token of it was
    sent again. An unknown token is null.
    """
    pairs = (world.grants.by_refresh.get(value) for value in data.refresh_tokens)
    return {"tokens": [None if pair is None else _describe(world, pair) for pair in pairs]}


@post("/_control/tokens/expire", status_code=200)
async def expire_all(world: NamedDependency[World]) -> dict[str, int]:
    """Every access token of every user expires now; refresh tokens live on."""
    now = world.clock.now()
    live = [pair for pair in world.grants.by_access.values() if pair.expires_at > now]
    for pair in live:
        pair.expires_at = now
    return {"expired": len(live)}


def _describe(world: World, pair: TokenPair) -> dict[str, Any]:
    grant = pair.grant
    return {
        "honoured": world.grants.honours(pair),
        "newest": grant.pairs[-1] is pair,
        "grant": grant.uuid,
        "grant_honoured": any(world.grants.honours(each) for each in grant.pairs),
        "exchanges": len(grant.pairs) - 1,
        "reused": sum(each.shown_again for each in grant.pairs),
    }
