"""JSON bytes to wire structs, without the optional fields that cannot be read.

One odd detail costs only itself: a booking without its location is better than no booking. A field
that a struct names in `decisive` is never left out, because its absence has a meaning of its own.
Nor is the optional field that contains such a struct. No item of a list is left out either. Each
field that is left out is counted and logged by its path.
"""

from collections.abc import Iterator
from datetime import datetime
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin

import msgspec

from adapters.calendly.wire.decoding import LIKELY_YEARS, Unreadable, as_secret, decode
from adapters.telemetry.omitted_fields import report_omitted

T = TypeVar("T")


class _DecisiveUnreadable(Unreadable):
    """A decisive field cannot be read: no optional field that contains it is left out."""


def decode_leniently(body: bytes, into: type[T]) -> T:
    """Return the body as the given struct; an optional field that cannot be read has its default.

    Args:
        body: JSON.
        into: a struct.

    Raises:
        Unreadable: not JSON, or a required or decisive field cannot be read.

    """
    try:
        return decode(body, into)
    except Unreadable as fault:
        try:
            value: T = _struct(decode(body, Any), into, "$")
        except RecursionError:
            raise fault from None
        return value


def _struct(value: Any, into: Any, path: str) -> Any:
    if not isinstance(value, dict):
        raise Unreadable(path)
    decisive = getattr(into, "decisive", ())
    read: dict[str, Any] = {}
    for field in msgspec.structs.fields(into):
        name = field.encode_name
        if name not in value:
            if field.required:
                raise Unreadable(f"{path}.{name}")
            continue
        try:
            read[field.name] = _value(value[name], field.type, f"{path}.{name}")
        except _DecisiveUnreadable:
            raise
        except Unreadable as fault:
            if field.name in decisive:
                raise _DecisiveUnreadable(fault.field) from None
            if field.required:
                raise
            report_omitted(fault.field)
    return into(**read)


def _value(value: Any, kind: Any, path: str) -> Any:
    try:
        read = msgspec.convert(value, kind, dec_hook=as_secret)
    except (msgspec.ValidationError, ValueError):
        return _salvaged(value, kind, path)
    if isinstance(read, datetime) and read.year not in LIKELY_YEARS:
        raise Unreadable(path)
    return read


def _salvaged(value: Any, kind: Any, path: str) -> Any:
    for each in _alternatives(kind):
        if isinstance(value, dict) and isinstance(get_origin(each) or each, type(msgspec.Struct)):
            return _struct(value, each, path)
        if isinstance(value, list) and get_origin(each) is list:
            (item,) = get_args(each)
            return [_value(part, item, f"{path}[{n}]") for n, part in enumerate(value)]
    raise Unreadable(path)


def _alternatives(kind: Any) -> Iterator[Any]:
    if get_origin(kind) in {Union, UnionType}:
        yield from get_args(kind)
    else:
        yield kind
