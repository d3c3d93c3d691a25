"""Times in a query: RFC 3339 with a UTC offset, and nothing else.

The framework would take a time without an offset, and numbers as well; either would be a guess.
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
    """Return the time that a parameter states, in UTC.

    Raises:
        ValidationException: it states none; the parameter is named, its value is not repeated.

    """
    try:
        return msgspec.convert(text, _Moment, strict=True).astimezone(UTC)
    except (msgspec.ValidationError, OverflowError):  # an offset may lead out of the calendar
        told = {"key": name, "message": REMEDY, "source": "query"}
        raise ValidationException(extra=[told]) from None


def optional_moment(text: str | None, name: str) -> datetime | None:
    """Return the time that a parameter states, or None when it is left out."""
    return None if text is None else moment(text, name)
