"""JSON bytes to wire structs, for answers and webhooks alike.

The rule not to break: what cannot be read is reported by the field's name, never by its value.
"""

import re
from datetime import datetime
from functools import lru_cache
from typing import Annotated, Any, TypeVar

import msgspec

from domain.secret import Secret

T = TypeVar("T")
Time = Annotated[datetime, msgspec.Meta(tz=True)]
"""A time with its offset; one without is refused."""

_PATH = re.compile(r"`(\$[A-Za-z0-9_.\[\]]*)`")
_MISSING = re.compile(r"missing required field `([A-Za-z0-9_]+)`")
# A NUL in JSON is always written so; the even number of backslashes before it keeps `\\u0000`,
# an escaped backslash followed by plain text, as it is.
_NUL = re.compile(rb"(?<!\\)((?:\\\\)*)\\u0000")


class Unreadable(Exception):
    """The bytes are not the JSON that was expected; `field` says where, as a JSON path."""

    def __init__(self, field: str) -> None:
        super().__init__(field)
        self.field = field


def decode(body: bytes, into: type[T], *, strict: bool = True) -> T:
    """Return the body as the given type.

    NUL characters become U+FFFD, since PostgreSQL's text can hold none.

    Args:
        body: JSON.
        into: a struct.
        strict: false lets numbers come as text.

    Raises:
        Unreadable: not JSON, or not of this shape.

    """
    if b"\\u0000" in body:
        body = _NUL.sub(rb"\1\\ufffd", body)
    kind: Any = into
    try:
        value: T = _decoder(kind, strict).decode(body)
    except msgspec.ValidationError as error:
        raise Unreadable(_field(str(error))) from None
    except (msgspec.DecodeError, ValueError, RecursionError):
        raise Unreadable("$") from None
    return value


@lru_cache(maxsize=64)
def _decoder(into: Any, strict: bool) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(into, strict=strict, dec_hook=_secret)


def _secret(kind: type[Any], value: Any) -> Any:
    if kind is Secret and isinstance(value, str):
        return Secret(value)
    raise ValueError("Expected `str`")


def _field(message: str) -> str:
    path = _PATH.search(message)
    missing = _MISSING.search(message)
    where = path.group(1) if path else "$"
    return f"{where}.{missing.group(1)}" if missing else where
