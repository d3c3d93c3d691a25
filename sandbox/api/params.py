"""Query parameters and bodies, refused in Calendly's way: 400 with details."""

import re
from datetime import datetime
from typing import TypeVar

import msgspec

from sandbox.api.errors import detail, invalid_argument
from sandbox.timestamps import parse_instant
from sandbox.world import World

_ID = re.compile(r"[A-Za-z0-9_-]+")
_MOST_ROWS = 100
_BOOLEANS = {"true": True, "false": False}

T = TypeVar("T")


def resource_id(world: World, parameter: str, value: str, collection: str) -> str:
    """The id in a full resource URI; a bare id is refused (Calendly: API conventions)."""
    head, _, uuid = value.rpartition("/")
    if head != f"{world.settings.resource_base}/{collection}" or not _ID.fullmatch(uuid):
        raise invalid_argument(detail(parameter, "is not a valid URI"))
    return uuid


def maybe_resource_id(
    world: World, parameter: str, value: str | None, collection: str
) -> str | None:
    """As `resource_id`, with None for an absent parameter."""
    return None if value is None else resource_id(world, parameter, value, collection)


def required(parameter: str, value: T | None) -> T:
    """A parameter that must be there."""
    if value is None or value == "":
        raise invalid_argument(detail(parameter, "must be filled"))
    return value


def instant(parameter: str, value: str) -> datetime:
    """An ISO 8601 instant, as aware UTC."""
    try:
        return parse_instant(value)
    except ValueError:
        raise invalid_argument(detail(parameter, "must be a valid ISO 8601 time")) from None


def maybe_instant(parameter: str, value: str | None) -> datetime | None:
    """As `instant`, with None for an absent parameter."""
    return None if value is None else instant(parameter, value)


def maybe_boolean(parameter: str, value: str | None) -> bool | None:
    """`true` or `false`."""
    if value is None:
        return None
    if value not in _BOOLEANS:
        raise invalid_argument(detail(parameter, "must be a boolean"))
    return _BOOLEANS[value]


def one_of(parameter: str, value: str | None, allowed: tuple[str, ...]) -> str | None:
    """A word from a closed list."""
    if value is not None and value not in allowed:
        raise invalid_argument(detail(parameter, f"must be one of: {', '.join(allowed)}"))
    return value


def row_count(value: str | None) -> int:
    """`count`: 1 to 100, 20 by default."""
    if value is None:
        return 20
    if not value.isdecimal() or not 1 <= int(value) <= _MOST_ROWS:
        raise invalid_argument(detail("count", "must be between 1 and 100"))
    return int(value)


def body_as(model: type[T], raw: bytes) -> T:
    """Decode a JSON body; what does not fit is a 400 that names the field."""
    try:
        return msgspec.json.decode(raw or b"{}", type=model)
    except msgspec.ValidationError as error:
        raise invalid_argument(_detail_of(str(error))) from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise invalid_argument(detail("base", "is not valid JSON")) from None


def _detail_of(error: str) -> dict[str, str]:
    missing = re.search(r"missing required field `([^`]+)`", error)
    if missing:
        return detail(missing[1], "must be filled")
    place = re.search(r"at `\$\.?([^`]*)`", error)
    return detail(place[1] if place and place[1] else "base", "is invalid")
