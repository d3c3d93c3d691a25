"""The environment of a process whose host's clock is wrong, by libfaketime."""

from datetime import timedelta
from pathlib import Path

LIBRARY = "libfaketime.so.1"
MISSING = f"{LIBRARY} is missing; install Debian's libfaketime"


def library() -> Path | None:
    """Return libfaketime as Debian installs it, or None."""
    return next(Path("/usr/lib").glob(f"*/faketime/{LIBRARY}"), None)


def skewed(by: timedelta) -> dict[str, str]:
    """Return the variables of a process whose clock is ahead by so much, or behind.

    Its monotonic clock stays right, as on a host with a wrong time.

    Raises:
        LookupError: libfaketime is not installed.

    """
    if not by:
        return {}
    found = library()
    if found is None:
        raise LookupError(MISSING)
    return {
        "LD_PRELOAD": str(found),
        "FAKETIME": f"{by.total_seconds():+.0f}s",
        "DONT_FAKE_MONOTONIC": "1",
        "NO_FAKE_STAT": "1",
    }
