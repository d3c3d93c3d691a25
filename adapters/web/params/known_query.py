"""Refuses a query parameter that its operation does not have, and text that no parameter may be.

A misspelled parameter would otherwise be ignored: a filter that does not filter, or a reason that
is not recorded.
"""

import re
from collections.abc import Collection
from typing import Any, Final

from litestar import Request
from litestar.exceptions import ValidationException

from adapters.web.params.control_characters import CONTROL
from adapters.web.params.declared_query import query_parameters

ANY_QUERY: Final = "any_query"
"""Option of a handler: another service makes its query, and may add parameters."""

LONGEST: Final = 4096
"""Characters in a value; a cursor and a `return_to` are the longest of them."""

_CONTROL: Final = re.compile(f"[{CONTROL}]")

# Another name is not repeated in the answer.
_NAME: Final = re.compile(r"[A-Za-z0-9_.\-]{1,64}", re.ASCII)


async def only_known_query(request: Request[Any, Any, Any]) -> None:
    """Check the names in a request's query, and what holds for each value.

    Raises:
        ValidationException: some names are unknown, or values no text; its fields name them.

    """
    handler = request.route_handler
    if not handler.include_in_schema or handler.opt.get(ANY_QUERY, False):
        return
    known = query_parameters(handler)
    unknown = sorted(set(request.query_params) - known.keys())
    faults = {name: _unknown(known) for name in unknown}
    for name, value in request.query_params.multi_items():
        if name in known and (len(value) > LONGEST or _CONTROL.search(value)):
            faults[name] = f"must be up to {LONGEST} characters without control characters"
    if faults:
        extra = [{"key": _shown(name), "message": each} for name, each in faults.items()]
        raise ValidationException(extra=[each | {"source": "query"} for each in extra])


def _unknown(known: Collection[str]) -> str:
    takes = f"it takes {', '.join(known)}" if known else "it takes none"
    return f"is not a query parameter of this operation; {takes}"


def _shown(name: str) -> str:
    return name if _NAME.fullmatch(name) else "query"
