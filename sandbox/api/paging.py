"""Keyset paging: `count`, opaque `page_token`, and the five pagination keys.

A token names the row it follows, not a position, so rows that come and go between two pages
are neither repeated nor skipped.
"""

import base64
import binascii
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, Literal, TypeVar
from urllib.parse import urlencode

import msgspec

from sandbox.api.access import Call
from sandbox.api.errors import detail, invalid_argument
from sandbox.api.params import row_count
from sandbox.world import World

Order = tuple[tuple[str, bool], ...]  # (attribute, descending)
T = TypeVar("T")


class PageToken(msgspec.Struct, array_like=True, frozen=True):
    """The row a page begins after, or ends before."""

    direction: Literal["n", "p"]
    anchor: list[str | int | float]


def parse_sort(text: str | None, default: str, allowed: dict[str, str]) -> Order:
    """`field:asc,field:desc` to attributes; `allowed` maps Calendly's names to ours."""
    order = []
    for part in (text or default).split(","):
        field, _, direction = part.strip().partition(":")
        if field not in allowed or direction not in ("", "asc", "desc"):
            raise invalid_argument(detail("sort", "is invalid"))
        order.append((allowed[field], direction == "desc"))
    return tuple(order)


def page(
    world: World, call: Call, rows: Iterable[T], order: Order, shape: Callable[[World, T], Any]
) -> dict[str, Any]:
    """One page of `rows` in `order`, as `{collection, pagination}`."""
    count = row_count(call.query_params.get("count"))
    order = (*order, ("uuid", False))
    keyed = [(_key(row, order), row) for row in rows]
    for position, (_, descending) in reversed(list(enumerate(order))):
        keyed.sort(key=lambda pair, at=position: pair[0][at], reverse=descending)  # type: ignore[misc]
    first = _first_index(keyed, order, count, _token(call.query_params.get("page_token"), order))
    chosen = keyed[first : first + count]
    following = first + count < len(keyed)
    ahead = _encode("n", chosen[-1][0]) if chosen and following else None
    behind = _encode("p", chosen[0][0]) if chosen and first > 0 else None
    return {
        "collection": [shape(world, row) for _, row in chosen],
        "pagination": {
            "count": len(chosen),
            "next_page": _url(world, call, ahead),
            "next_page_token": ahead,
            "previous_page": _url(world, call, behind),
            "previous_page_token": behind,
        },
    }


def _first_index(
    keyed: list[tuple[list[Any], T]], order: Order, count: int, token: PageToken | None
) -> int:
    if token is None:
        return 0
    after = sum(1 for key, _ in keyed if not _follows(key, token.anchor, order))
    if token.direction == "n":
        return after
    at_anchor = any(key == token.anchor for key, _ in keyed)
    return max(0, after - int(at_anchor) - count)


def _follows(key: list[Any], anchor: list[Any], order: Order) -> bool:
    for mine, theirs, (_, descending) in zip(key, anchor, order, strict=True):
        if mine != theirs:
            return bool(mine > theirs) is not descending
    return False


def _key(row: Any, order: Order) -> list[Any]:
    values = (getattr(row, attribute) for attribute, _ in order)
    return [v.timestamp() if isinstance(v, datetime) else v for v in values]


def _encode(direction: Literal["n", "p"], anchor: list[Any]) -> str:
    raw = msgspec.msgpack.encode(PageToken(direction, anchor))
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _token(text: str | None, order: Order) -> PageToken | None:
    if text is None:
        return None
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        token = msgspec.msgpack.decode(raw, type=PageToken)
    except (binascii.Error, ValueError, msgspec.DecodeError):
        raise invalid_argument(detail("page_token", "is invalid")) from None
    if len(token.anchor) != len(order):
        raise invalid_argument(detail("page_token", "is invalid"))
    return token


def _url(world: World, call: Call, token: str | None) -> str | None:
    if token is None:
        return None
    query = [(k, v) for k, v in call.query_params.multi_items() if k != "page_token"]
    query.append(("page_token", token))
    return f"{world.settings.resource_base}{call.url.path}?{urlencode(query)}"
