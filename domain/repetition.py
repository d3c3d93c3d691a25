"""After which errors an attempt may be repeated, and where: one rule for every error.

Only an attempt that was certainly not processed is repeated immediately. Any other is left to a
later attempt, which first checks the result of the earlier one.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from domain.errors import (
    CalendlyUnavailable,
    Kind,
    SlotkeeperError,
    StorageUnavailable,
)


class Repeat(StrEnum):
    """Where a failed attempt may be repeated."""

    AT_ONCE = "at_once"
    """By the caller, within the same request: nothing was processed."""
    LATER = "later"
    """By a later job or request, which starts from the beginning; never blindly."""
    NEVER = "never"
    """It fails in the same way until a person changes something."""


BY_KIND: Final[Mapping[Kind, Repeat]] = MappingProxyType({
    Kind.TRANSIENT: Repeat.LATER,
    Kind.THROTTLED: Repeat.AT_ONCE,
    Kind.PERMANENT: Repeat.NEVER,
    Kind.NEEDS_PERSON: Repeat.NEVER,
})  # fmt: skip
"""The rule for errors without an exception."""

EXCEPTIONS: Final[Mapping[type[SlotkeeperError], Repeat]] = MappingProxyType({
    # Of the transient errors only these prove that nothing was processed.
    CalendlyUnavailable: Repeat.AT_ONCE,
    StorageUnavailable: Repeat.AT_ONCE,
})  # fmt: skip
"""Where the kind is too coarse; an entry holds for derived classes too."""


def repeat_of(error: SlotkeeperError) -> Repeat:
    """Return the rule for an error: its class's, else its nearest parent's, else its kind's."""
    for each in type(error).__mro__:
        if each in EXCEPTIONS:
            return EXCEPTIONS[each]
    return BY_KIND[error.kind]
