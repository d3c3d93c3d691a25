"""The log output of a process with our logging, for tests to read."""

import io
import json
from typing import Any


class LogOutput:
    """The log records that a configured process wrote."""

    def __init__(self) -> None:
        self.stream = io.StringIO()

    @property
    def text(self) -> str:
        """Everything that was written."""
        return self.stream.getvalue()

    @property
    def entries(self) -> list[dict[str, Any]]:
        """Every line, decoded."""
        return [json.loads(line) for line in self.text.splitlines()]

    @property
    def entry(self) -> dict[str, Any]:
        """The one line that was written."""
        (only,) = self.entries
        return only
