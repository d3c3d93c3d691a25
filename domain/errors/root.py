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
        diagnosis: what an operator needs beside the message, such as the name of a driver's
            error. It is part of `str(error)`, and never of an answer to a caller.

    """

    code: ClassVar[str] = "internal"
    kind: ClassVar[Kind] = Kind.PERMANENT

    def __init__(
        self, message: str, *, retry_after: float | None = None, diagnosis: str | None = None
    ) -> None:
        super().__init__(message if diagnosis is None else f"{message} ({diagnosis})")
        self.message = message
        self.retry_after = retry_after
