"""A page's position, opaque to callers: base64url of JSON of the keyset position.

The rule not to break: a cursor of one list is invalid for any other.
"""

import base64
from datetime import UTC, datetime
from typing import Annotated, Literal, TypeVar
from uuid import UUID

import msgspec
from litestar.params import QueryParameter

from domain.errors import InvalidCursor
from domain.ids import BookingId

LONGEST = 2000
Cursor = Annotated[str | None, QueryParameter(description="`next_cursor` of the page before.")]


class _Position(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    start: Annotated[datetime, msgspec.Meta(tz=True)]
    id: UUID

    def __post_init__(self) -> None:
        self.start.astimezone(UTC)  # an offset may lead beyond the calendar: OverflowError


class _Name(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    of: Literal["event_type"]
    name: str
    uri: str


_P = TypeVar("_P", _Position, _Name)


def encode(position: tuple[datetime, BookingId]) -> str:
    """Return the cursor of a position among bookings."""
    return _encode(_Position(*position))


def decode(cursor: str) -> tuple[datetime, BookingId]:
    """Return a cursor's position among bookings.

    Raises:
        InvalidCursor: this service never creates such a cursor.

    """
    position = _decode(cursor, _Position)
    return position.start, BookingId(position.id)


def encode_name(position: tuple[str, str]) -> str:
    """Return the cursor of a position among event types: name and URI."""
    return _encode(_Name("event_type", *position))


def decode_name(cursor: str) -> tuple[str, str]:
    """Return a cursor's position among event types. Raises InvalidCursor."""
    position = _decode(cursor, _Name)
    return position.name, position.uri


def decode_id(cursor: str) -> UUID:
    """Return the id that is a list's whole position. Raises InvalidCursor."""
    try:
        return UUID(hex=cursor)
    except ValueError:
        raise InvalidCursor(
            "The cursor is not one that this service handed out; begin again without it."
        ) from None


def _encode(position: _P) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(position)).rstrip(b"=").decode()


def _decode(cursor: str, shape: type[_P]) -> _P:
    padded = cursor[:LONGEST] + "=" * (-len(cursor[:LONGEST]) % 4)
    try:
        return msgspec.json.decode(base64.b64decode(padded, b"-_", validate=True), type=shape)
    except (ValueError, OverflowError):
        raise InvalidCursor(
            "The cursor was not created by this service; start again without it."
        ) from None
