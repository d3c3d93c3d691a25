"""A page's position, opaque to callers: base64url of JSON of the keyset position."""

import base64
from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec

from domain.errors import InvalidCursor
from domain.ids import BookingId

LONGEST = 200


class _Position(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    start: Annotated[datetime, msgspec.Meta(tz=True)]
    id: UUID


def encode(position: tuple[datetime, BookingId]) -> str:
    """Return the text that stands for a position."""
    raw = msgspec.json.encode(_Position(*position))
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decode(cursor: str) -> tuple[datetime, BookingId]:
    """Return the position that a text stands for.

    Raises:
        InvalidCursor: this service never hands out such a text.

    """
    padded = cursor[:LONGEST] + "=" * (-len(cursor[:LONGEST]) % 4)
    try:
        raw = base64.b64decode(padded, b"-_", validate=True)
        position = msgspec.json.decode(raw, type=_Position)
    except ValueError:
        raise InvalidCursor(
            "The cursor is not one that this service handed out; begin again without it."
        ) from None
    return position.start, BookingId(position.id)
