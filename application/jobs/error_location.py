"""The source location of an error, without its message, which may hold personal data."""

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
    """Report an exception that is not one of the service's errors; return the code to count."""
    telemetry.job_row_failed(type(error).__name__, error_location(error))
    return UNEXPECTED
