"""After which errors the same thing may be done again, and where: one rule for every error.

The rule not to break: only what certainly was not processed is repeated at once. Whatever may
have been is left to a later attempt, which first looks what became of the earlier one.
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
    """By whoever made it, within the same request: nothing was processed."""
    LATER = "later"
    """By a job or the caller, who begins anew; never blindly within the request."""
    NEVER = "never"
    """It fails in the same way until somebody changes something."""


BY_KIND: Final[Mapping[Kind, Repeat]] = MappingProxyType({
    Kind.TRANSIENT: Repeat.LATER,
    Kind.THROTTLED: Repeat.AT_ONCE,
    Kind.PERMANENT: Repeat.NEVER,
    Kind.NEEDS_PERSON: Repeat.NEVER,
})  # fmt: skip
"""What holds for errors that are not exceptions."""

EXCEPTIONS: Final[Mapping[type[SlotkeeperError], Repeat]] = MappingProxyType({
    # Of the transient ones these alone say for certain that nothing was processed.
    CalendlyUnavailable: Repeat.AT_ONCE,
    StorageUnavailable: Repeat.AT_ONCE,
})  # fmt: skip
"""Where the kind is too coarse; a class speaks for those derived from it."""


def repeat_of(error: SlotkeeperError) -> Repeat:
    """Return the rule for an error: its class's, else its nearest parent's, else its kind's."""
    for each in type(error).__mro__:
        if each in EXCEPTIONS:
            return EXCEPTIONS[each]
    return BY_KIND[error.kind]
