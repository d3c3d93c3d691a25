"""Times and durations in a query.

A time is RFC 3339 with a UTC offset, a duration is whole seconds. The framework would also accept a
time without an offset, and a number; either would be ambiguous.
"""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated

import msgspec
from litestar.exceptions import ValidationException
from litestar.openapi.spec import OpenAPIType
from litestar.params import QueryParameter

_Moment = Annotated[datetime, msgspec.Meta(tz=True)]
_MOMENT_REMEDY = "Expected a time with a UTC offset, as 2026-12-01T09:00:00Z; + is %2B in a query"
_WHOLE = re.compile(r"[0-9]{1,9}", re.ASCII)
_LONGEST = 999_999_999
_DURATION_REMEDY = "Expected whole seconds, 0 or more, in at most nine digits"


def moment_parameter(description: str) -> QueryParameter:
    """Return the declaration of a query parameter that `moment` reads."""
    return QueryParameter(description=f"{description} (RFC 3339).", format="date-time")


def moment(text: str, name: str) -> datetime:
    """Return a parameter's time, in UTC.

    Raises:
        ValidationException: it is invalid; the parameter is named, its value is not repeated.

    """
    try:
        return msgspec.convert(text, _Moment, strict=True).astimezone(UTC)
    except (msgspec.ValidationError, OverflowError):  # an offset may lead beyond the calendar
        extra = [{"key": name, "message": _MOMENT_REMEDY, "source": "query"}]
        raise ValidationException(extra=extra) from None


def optional_moment(text: str | None, name: str) -> datetime | None:
    """Return a parameter's time, or None when it is omitted."""
    return None if text is None else moment(text, name)


def seconds_parameter(description: str) -> QueryParameter:
    """Return the declaration of a query parameter that `optional_seconds` reads."""
    return QueryParameter(
        description=f"{description} (whole seconds).",
        schema_extra={"type": OpenAPIType.INTEGER, "minimum": 0, "maximum": _LONGEST},
    )


def optional_seconds(text: str | None, name: str) -> timedelta | None:
    """Return a parameter's duration, or None when it is omitted.

    Raises:
        ValidationException: it is invalid; the parameter is named, its value is not repeated.

    """
    if text is None:
        return None
    if _WHOLE.fullmatch(text) is None:
        raise ValidationException(
            extra=[{"key": name, "message": _DURATION_REMEDY, "source": "query"}]
        )
    return timedelta(seconds=int(text))
