"""Spans of time in a query: whole seconds, and nothing that only looks like them."""

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
    """Return the span that a parameter states, or None when it is left out.

    Raises:
        ValidationException: it states none; the parameter is named, its value is not repeated.

    """
    if text is None:
        return None
    if _WHOLE.fullmatch(text) is None:
        told = {"key": name, "message": REMEDY, "source": "query"}
        raise ValidationException(extra=[told])
    return timedelta(seconds=int(text))
