"""Makes a log entry safe to write: plain values only, secrets and personal data redacted.

Objects are never rendered by their own repr, which may hold anything. An object that is not a
plain value appears as the name of its type.
"""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from enum import Enum
from pathlib import PurePath
from typing import Any
from uuid import UUID

from structlog.typing import EventDict, WrappedLogger

from adapters.telemetry.patterns import is_secret_name, redact_name, redact_text
from domain.errors import SlotkeeperError
from domain.secret import REDACTED, Secret

_DEEPEST = 6


def redact(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Return the entry, redacted. The last processor before rendering."""
    return {redact_name(str(name)): _field(str(name), value, 0) for name, value in event.items()}


def _field(name: str, value: object, depth: int) -> Any:
    # Counts and flags say nothing secret; `tokens=3` may stay.
    if is_secret_name(name) and not isinstance(value, bool | int | float | None):
        return REDACTED
    return _plain(value, depth)


def _plain(value: object, depth: int) -> Any:
    if type(value) is str:  # by far the most common
        return redact_text(value)
    for types, render in _RENDERED:
        if isinstance(value, types):
            return render(value)
    return _composed(value, depth)


def _same(value: Any) -> Any:
    return value


def _number(value: int) -> int | str:
    # JSON readers lose integers beyond 64 bits.
    return value if -(2**63) <= value < 2**63 else str(value)


def _size(value: bytes | bytearray | memoryview) -> str:
    return f"[{len(value)} bytes]"


def _shown(value: object) -> str:
    return redact_text(str(value))


def _error(error: SlotkeeperError) -> str:
    return f"{error.code}: {redact_text(str(error))}"


# The first type that fits renders; an enumeration may be a text or a number too.
_RENDERED: tuple[tuple[tuple[type, ...], Callable[[Any], Any]], ...] = (
    ((type(None), bool, float), _same),
    ((Secret, Enum, UUID, PurePath, timedelta, date), _shown),
    ((str,), redact_text),
    ((int,), _number),
    ((bytes, bytearray, memoryview), _size),
    ((SlotkeeperError,), _error),
)


def _composed(value: object, depth: int) -> Any:
    if depth < _DEEPEST:
        if isinstance(value, Mapping):
            return {
                redact_name(str(name)): _field(str(name), each, depth + 1)
                for name, each in value.items()
            }
        if isinstance(value, list | tuple | set | frozenset):
            return [_plain(each, depth + 1) for each in value]
    return f"<{type(value).__name__}>"
