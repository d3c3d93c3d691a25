"""Refusals of the control surface: `{"error": <what to do>}`."""

from typing import TypeVar

T = TypeVar("T")


class ControlError(Exception):
    """A request to the control surface that cannot be carried out."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


def found(thing: T | None, what: str) -> T:
    """The thing, or a 404 that says what is missing."""
    if thing is None:
        raise ControlError(f"no such {what}", 404)
    return thing
