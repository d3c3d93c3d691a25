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
_FIELD = re.compile(r"(?:missing required field|no likely time in) `([A-Za-z0-9_]+)`")
LIKELY_YEARS = range(1970, 9001)
# Every escape of a JSON text, one by one from the left, so that `\\u0000`, an escaped backslash
# followed by plain text, stays as it is. The second group is what no text can hold: a NUL, or half
# of a surrogate pair.
_ESCAPE = re.compile(
    rb"\\(?:(u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})"
    rb"|(u0000|u[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)


class Dated(msgspec.Struct):
    """Refuses times of years in which nothing was or will be booked: they are some mistake."""

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            value = getattr(self, name)
            if isinstance(value, datetime) and value.year not in LIKELY_YEARS:
                raise ValueError(f"no likely time in `{name}`")


class Unreadable(Exception):
    """The bytes are not the JSON that was expected; `field` says where, as a JSON path."""

    def __init__(self, field: str) -> None:
        super().__init__(field)
        self.field = field


def decode(body: bytes, into: type[T], *, strict: bool = True) -> T:
    """Return a JSON body as the given type; unless `strict`, numbers may come as text.

    NUL characters, which PostgreSQL's text cannot store, and unpaired surrogates, which are not
    text, become U+FFFD.

    Raises:
        Unreadable: not JSON, or not of this shape.

    """
    if b"\\u0000" in body or b"\\ud" in body or b"\\uD" in body:  # most bodies have none
        body = _ESCAPE.sub(_storable, body)
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
    return msgspec.json.Decoder(into, strict=strict, dec_hook=as_secret)


def as_secret(kind: type[Any], value: Any) -> Any:
    """Return a text as a Secret; msgspec calls this for kinds that it does not know."""
    if kind is Secret and isinstance(value, str):
        return Secret(value)
    raise ValueError("Expected `str`")


def _storable(escape: re.Match[bytes]) -> bytes:
    return rb"\ufffd" if escape.group(2) else escape.group(0)


def _field(message: str) -> str:
    path = _PATH.search(message)
    named = _FIELD.search(message)
    where = path.group(1) if path else "$"
    return f"{where}.{named.group(1)}" if named else where
