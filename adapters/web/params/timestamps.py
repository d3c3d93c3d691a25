"""Times in a query: RFC 3339 with a UTC offset only.

The framework would also accept a time without an offset, and a number; either would be ambiguous.
"""

from datetime import UTC, datetime
from typing import Annotated

import msgspec
from litestar.exceptions import ValidationException
from litestar.params import QueryParameter

_Moment = Annotated[datetime, msgspec.Meta(tz=True)]
REMEDY = "Expected a time with a UTC offset, as 2026-12-01T09:00:00Z; + is %2B in a query"


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
        extra = [{"key": name, "message": REMEDY, "source": "query"}]
        raise ValidationException(extra=extra) from None


def optional_moment(text: str | None, name: str) -> datetime | None:
    """Return a parameter's time, or None when it is omitted."""
    return None if text is None else moment(text, name)
