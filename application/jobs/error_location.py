"""Where an error arose, told without data: messages and values may hold what must not be logged."""

import traceback
from pathlib import Path
from typing import Final

from application.ports.telemetry import Telemetry

FRAMES = 3


def error_location(error: BaseException) -> str:
    """Return the innermost frames, outermost first: `file:line in function`, joined by ` > `."""
    frames = traceback.extract_tb(error.__traceback__)[-FRAMES:]
    return " > ".join(
        f"{'/'.join(Path(frame.filename).parts[-2:])}:{frame.lineno} in {frame.name}"
        for frame in frames
    )


UNEXPECTED: Final = "unexpected"


def report_bug(telemetry: Telemetry, error: Exception) -> str:
    """Tell of an exception that is not one of the service's errors; return what it counts as."""
    telemetry.job_row_failed(type(error).__name__, error_location(error))
    return UNEXPECTED
