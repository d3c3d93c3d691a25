"""The root of the error tree, and the kinds that say what may be done about an error."""

from enum import StrEnum
from typing import ClassVar


class Kind(StrEnum):
    """How a caller may react to an error."""

    TRANSIENT = "transient"
    THROTTLED = "throttled"
    PERMANENT = "permanent"
    NEEDS_PERSON = "needs_person"


class SlotkeeperError(Exception):
    """The root: a message for people, a code and a kind for programs.

    Args:
        message: names the thing and the remedy; holds no secret and no personal data.
        retry_after: seconds to wait before trying again, where that is known.

    """

    code: ClassVar[str] = "internal"
    kind: ClassVar[Kind] = Kind.PERMANENT

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.retry_after = retry_after
