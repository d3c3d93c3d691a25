"""The reading of one environment variable: its parser, and the remedy for a wrong value.

A parser's error completes a sentence that begins with the variable's name. It quotes no secret.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True)
class Variable:
    """The reading of one variable, attached to a settings field with `Annotated`.

    Args:
        parse: turns the text into the field's value; raises ValueError such as "is not a URL".
        remedy: one sentence with the value to set.
        secret: may come as `NAME_FILE`, the path of a file that holds it.

    """

    parse: Callable[[str], object]
    remedy: str
    secret: bool = False


class Fault(NamedTuple):
    """A wrong variable, its problem and its remedy; quotes no secret."""

    variable: str
    problem: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.variable} {self.problem}. {self.remedy}"
