"""Exceptions in logs: the traceback without local variables, and the error's stable code."""

import sys
import traceback
from types import TracebackType

import structlog
from structlog.typing import EventDict, WrappedLogger

from domain.errors import SlotkeeperError

_MOST_FRAMES = 40


def render_exception(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Replace `exc_info` by `exception`, a text; the redaction that follows takes care of it."""
    exc_info = event.pop("exc_info", None)
    error = _error(exc_info)
    if error is None:
        return event
    if isinstance(error, SlotkeeperError):
        event.setdefault("error_code", error.code)
    event.setdefault("error_type", type(error).__name__)
    event["exception"] = "".join(
        traceback.TracebackException.from_exception(
            error, limit=-_MOST_FRAMES, capture_locals=False
        ).format()
    ).rstrip()
    return event


def _error(exc_info: object) -> BaseException | None:
    if isinstance(exc_info, BaseException):
        return exc_info
    if isinstance(exc_info, tuple):
        return exc_info[1] if isinstance(exc_info[1], BaseException) else None
    return sys.exc_info()[1] if exc_info else None


def log_crashes() -> None:
    """Let an exception that ends the process go to the log, redacted, and not to the terminal."""
    log = structlog.stdlib.get_logger("slotkeeper")

    def crashed(
        kind: type[BaseException], error: BaseException, _trace: TracebackType | None
    ) -> None:
        if issubclass(kind, KeyboardInterrupt):
            return
        log.critical("process_crashed", exc_info=error)

    sys.excepthook = crashed
