"""Background work of this process."""

from collections.abc import Coroutine
from typing import Any, Protocol


class Background(Protocol):
    """Runs work in this process after the answer was given.

    The work may be lost with the process, so another process must be able to do it later,
    unless it is vital. Its errors are logged, never raised.
    """

    def run(self, name: str, work: Coroutine[Any, Any, object], *, vital: bool = False) -> None:
        """Start the work; `name` appears in the log.

        Vital work is never refused, and the process does not end before it has: cancelled, it
        ends by itself within seconds.
        """
        ...
