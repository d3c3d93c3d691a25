"""The query parameters that a handler declares."""

from collections.abc import Mapping
from typing import Any

from litestar.params import QueryParameter


def query_parameters(handler: Any) -> Mapping[str, Any]:
    """Return the fields of a handler's query parameters by their names on the wire."""
    return {
        field.kwarg_definition.name or name: field
        for name, field in handler.parsed_fn_signature.parameters.items()
        if isinstance(field.kwarg_definition, QueryParameter)
    }
