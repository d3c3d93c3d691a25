"""Logging: one chain for our own entries and for those of every library.

An entry of ours is a stable event code with fields (`log.info("token_refreshed", …)`); one of a
library is its message. Both are redacted and written as one JSON object a line. Ids of the
request, integration or workflow at hand come from structlog's context variables.
"""

import logging
import sys
import traceback
from types import TracebackType
from typing import Any, TextIO

import msgspec
import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from adapters.telemetry.redaction import redact
from domain.errors import SlotkeeperError

_MOST_FRAMES = 40
# These log every request with its address, query included, or are noisy below a warning.
_QUIET = ("httpx", "httpcore", "aiohttp", "asyncio", "piccolo", "uvicorn.access", "hypothesis")


def configure_logging(level: str, log_format: str, stream: TextIO | None = None) -> None:
    """Send every log entry of this process through our chain to one stream.

    Called once, by an entry point, before anything else starts; a second call replaces the
    first.

    Args:
        level: `debug`, `info`, `warning` or `error`.
        log_format: `json`, or `console` for people (coloured at a terminal).
        stream: where to write; None: standard output.

    """
    target = sys.stdout if stream is None else stream
    handler = _Handler(target)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=_gather(),
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                _render_exception,
                redact,
                _renderer(log_format, target),
            ],
        )
    )
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level.upper())
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    logging.captureWarnings(capture=True)
    _log_crashes()
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_gather(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,  # loggers made at import follow a later configuration
    )


class _Handler(logging.StreamHandler[TextIO]):
    """Writes to a stream; the report of a failed write never quotes the entry."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        # The standard one prints the message and its arguments, unredacted.
        kind = sys.exc_info()[0]
        reason = "unknown" if kind is None else kind.__name__
        print(f"A log entry of {record.name} was lost: {reason}", file=sys.__stderr__)


def _gather() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _take_extra,
    ]


# Fields that Temporal's SDK attaches to the entries of workflows and activities.
_TEMPORAL_EXTRA = ("temporal_workflow", "temporal_activity")
_TEMPORAL_FIELDS = ("workflow_id", "workflow_type", "run_id", "activity_type", "attempt")


def _take_extra(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Add the workflow's and activity's identity to an entry of Temporal's loggers."""
    record = event.get("_record")
    for source in _TEMPORAL_EXTRA:
        extra: Any = getattr(record, source, None)
        if isinstance(extra, dict):
            event.update({name: extra[name] for name in _TEMPORAL_FIELDS if name in extra})
    return event


def _renderer(log_format: str, target: TextIO) -> Processor:
    if log_format == "console":
        return structlog.dev.ConsoleRenderer(colors=target.isatty())
    return _render_json


def _render_json(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
    """Render one line, the fields that every entry has first."""
    first = {name: event.pop(name) for name in ("timestamp", "level", "event", "logger")}
    return msgspec.json.encode({**first, **event}).decode()


def _render_exception(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Replace `exc_info` by a traceback without local variables, and add the error's stable code."""
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


def _log_crashes() -> None:
    """Log an exception that ends the process, redacted, instead of printing it."""
    log = structlog.stdlib.get_logger("slotkeeper")

    def crashed(
        kind: type[BaseException], error: BaseException, _trace: TracebackType | None
    ) -> None:
        if issubclass(kind, KeyboardInterrupt):
            return
        log.critical("process_crashed", exc_info=error)

    sys.excepthook = crashed
