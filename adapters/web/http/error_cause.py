"""The cause of a failure of ours, kept from where it is known to the request's access log line."""

from typing import Any, Final

_CAUSE: Final = "error_cause"


def remember_cause(scope: Any, cause: str) -> None:
    """Keep a cause in the ASGI state; it is for the log, and never for the caller."""
    scope["state"][_CAUSE] = cause


def cause_of(scope: Any) -> str | None:
    """Return the cause that was kept, or None."""
    cause: str | None = scope["state"].get(_CAUSE)
    return cause
