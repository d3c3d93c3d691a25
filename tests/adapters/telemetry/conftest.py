import logging
import sys
from collections.abc import Iterator

import pytest
import structlog

from adapters.telemetry.logs import configure_logging
from tests.adapters.log_output import LogOutput


@pytest.fixture(autouse=True)
def _logging_put_back() -> Iterator[None]:
    """Leave the process's logging as it was found."""
    root = logging.getLogger()
    handlers, level, hook = root.handlers[:], root.level, sys.excepthook
    levels = {
        name: logger.level
        for name, logger in logging.root.manager.loggerDict.items()
        if isinstance(logger, logging.Logger)
    }
    yield
    root.handlers[:], sys.excepthook = handlers, hook
    root.setLevel(level)
    for name, logger in logging.root.manager.loggerDict.items():
        if isinstance(logger, logging.Logger):
            logger.setLevel(levels.get(name, logging.NOTSET))
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


@pytest.fixture
def output() -> LogOutput:
    """Return what is logged from now on, as JSON at level debug."""
    written = LogOutput()
    configure_logging("debug", "json", written.stream)
    return written
