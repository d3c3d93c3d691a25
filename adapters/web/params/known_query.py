"""Refuses a query parameter that its operation does not have.

A misspelled parameter would otherwise be ignored: a filter that does not filter, or a reason that
is not recorded.
"""

import re
from typing import Any, Final

from litestar import Request
from litestar.exceptions import ValidationException
from litestar.params import QueryParameter

ANY_QUERY: Final = "any_query"
"""Option of a handler: another service makes its query, and may add parameters."""

# Another name is not repeated in the answer.
_NAME: Final = re.compile(r"[A-Za-z0-9_.\-]{1,64}", re.ASCII)


async def only_known_query(request: Request[Any, Any, Any]) -> None:
    """Check the names in a request's query; the handler checks their values.

    Raises:
        ValidationException: some are unknown; its fields name them and the known ones.

    """
    handler = request.route_handler
    if not handler.include_in_schema or handler.opt.get(ANY_QUERY, False):
        return
    known = _declared(handler)
    unknown = sorted({name for name in request.query_params if name not in known})
    if unknown:
        takes = f"it takes {', '.join(known)}" if known else "it takes none"
        message = f"is not a query parameter of this operation; {takes}"
        raise ValidationException(
            extra=[
                {"key": _shown(name), "message": message, "source": "query"} for name in unknown
            ]
        )


def _declared(handler: Any) -> list[str]:
    fields = handler.parsed_fn_signature.parameters.items()
    return [
        field.kwarg_definition.name or name
        for name, field in fields
        if isinstance(field.kwarg_definition, QueryParameter)
    ]


def _shown(name: str) -> str:
    return name if _NAME.fullmatch(name) else "query"
