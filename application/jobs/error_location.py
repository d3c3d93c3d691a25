"""Where an error arose, told without data: messages and values may hold what must not be logged."""

import traceback
from pathlib import Path

FRAMES = 3


def error_location(error: BaseException) -> str:
    """Return the innermost frames, outermost first: `file:line in function`, joined by ` > `."""
    frames = traceback.extract_tb(error.__traceback__)[-FRAMES:]
    return " > ".join(
        f"{'/'.join(Path(frame.filename).parts[-2:])}:{frame.lineno} in {frame.name}"
        for frame in frames
    )
