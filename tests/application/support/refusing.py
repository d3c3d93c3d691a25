"""Background work that is not always taken on."""

from collections.abc import Coroutine
from typing import Any

from tests.application.support.recording import AwaitedBackground


class RefusingBackground(AwaitedBackground):
    """Refuses, while `refuses`, all that is not vital, as a process does that has its fill."""

    def __init__(self) -> None:
        super().__init__()
        self.refuses = False

    def run(self, name: str, work: Coroutine[Any, Any, object], *, vital: bool = False) -> None:
        """Start the work, or close it unstarted."""
        if self.refuses and not vital:
            work.close()
        else:
            super().run(name, work, vital=vital)
