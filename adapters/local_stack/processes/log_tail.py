"""The end of a child's log, for a message; reads no more than the last few kilobytes."""

from pathlib import Path

_READ_BYTES = 16_384


def log_tail(log: Path, lines: int = 25) -> str:
    """The last *lines* lines of *log*; empty when there is no such file or nothing in it."""
    try:
        with log.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - _READ_BYTES))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-lines:])
