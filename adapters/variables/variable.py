"""How one environment variable is read: its parser, and what to do when it is at fault.

A parser's error completes the sentence that begins with the variable's name, and never quotes a
secret.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True)
class Variable:
    """The reading of one variable, attached to a settings field with `Annotated`.

    Args:
        parse: turns the text into the field's value; raises ValueError such as "is not a URL".
        remedy: one sentence that says what to set it to.
        secret: may come as `NAME_FILE`, the path of a file that holds it.

    """

    parse: Callable[[str], object]
    remedy: str
    secret: bool = False


class Fault(NamedTuple):
    """What is wrong with a variable, and what to do; quotes no secret."""

    variable: str
    problem: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.variable} {self.problem}. {self.remedy}"
