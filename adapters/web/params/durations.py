"""Durations in a query: whole seconds only."""

import re
from datetime import timedelta

from litestar.exceptions import ValidationException
from litestar.openapi.spec import OpenAPIType
from litestar.params import QueryParameter

_WHOLE = re.compile(r"[0-9]{1,9}", re.ASCII)
LONGEST = 999_999_999
REMEDY = "Expected whole seconds, 0 or more, in at most nine digits"


def seconds_parameter(description: str) -> QueryParameter:
    """Return the declaration of a query parameter that `optional_seconds` reads."""
    return QueryParameter(
        description=f"{description} (whole seconds).",
        schema_extra={"type": OpenAPIType.INTEGER, "minimum": 0, "maximum": LONGEST},
    )


def optional_seconds(text: str | None, name: str) -> timedelta | None:
    """Return a parameter's duration, or None when it is omitted.

    Raises:
        ValidationException: it is invalid; the parameter is named, its value is not repeated.

    """
    if text is None:
        return None
    if _WHOLE.fullmatch(text) is None:
        raise ValidationException(extra=[{"key": name, "message": REMEDY, "source": "query"}])
    return timedelta(seconds=int(text))
