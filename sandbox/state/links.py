"""Single-use booking links that were handed out; no two are the same."""

import secrets

from sandbox.state.event_types import EventType

_LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"


class Links:
    """Links by their code, such as `abcd-brv8`."""

    def __init__(self) -> None:
        self.all: dict[str, EventType] = {}

    def add(self, event_type: EventType) -> str:
        """Make a link to an event type; return its address."""
        code = _code()
        while code in self.all:
            code = _code()
        self.all[code] = event_type
        return f"https://calendly.com/d/{code}/{event_type.slug}"


def _code() -> str:
    drawn = "".join(secrets.choice(_LETTERS) for _ in range(8))
    return f"{drawn[:4]}-{drawn[4:]}"
