"""Failures that tests arrange in fakes."""

from dataclasses import dataclass, field


@dataclass
class Failures:
    """Errors that the next calls raise, by the name of the use case."""

    planned: dict[str, Exception] = field(default_factory=dict)

    def check(self, name: str) -> None:
        """Raise what is planned for the use case, once."""
        if name in self.planned:
            raise self.planned.pop(name)
