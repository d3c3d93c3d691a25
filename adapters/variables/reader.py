"""Reads the fields of a settings struct from the environment, and collects every fault.

A field that is annotated with a Variable is read from the variable of its name in upper case.
A blank variable counts as absent.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_type_hints

import msgspec

from adapters.variables.variable import Fault, Variable


def variables_of(struct: type[msgspec.Struct]) -> dict[str, Variable]:
    """Return how each field of a settings struct is read, by field name, in their order."""
    hints = get_type_hints(struct, include_extras=True)
    variables = {}
    for field in struct.__struct_fields__:
        metadata = getattr(hints[field], "__metadata__", ())
        variable = next((each for each in metadata if isinstance(each, Variable)), None)
        if variable is None:
            raise TypeError(f"{struct.__name__}.{field} has no Variable annotation")
        variables[field] = variable
    return variables


def read(
    struct: type[msgspec.Struct], environ: Mapping[str, str]
) -> tuple[dict[str, Any], list[Fault]]:
    """Return the valid values, by field name, and every fault."""
    required = {field.name for field in msgspec.structs.fields(struct) if field.required}
    values: dict[str, Any] = {}
    faults: list[Fault] = []
    for field, variable in variables_of(struct).items():
        name = field.upper()
        try:
            text = _text(name, variable, environ)
            if text:
                values[field] = variable.parse(text)
            elif field in required:
                raise ValueError("is missing")  # noqa: TRY301 - one place collects all faults
        except ValueError as error:
            faults.append(Fault(name, str(error), variable.remedy))
    return values, faults


def _text(name: str, variable: Variable, environ: Mapping[str, str]) -> str:
    """Return the variable's text, from `NAME` or from the file that `NAME_FILE` names."""
    plain = environ.get(name, "").strip()
    path = environ.get(f"{name}_FILE", "").strip() if variable.secret else ""
    if not path:
        return plain
    if plain:
        raise ValueError(f"and {name}_FILE are both set; set only one")
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not text"
        raise ValueError(f"cannot be read from the file in {name}_FILE: {reason}") from None
